"""Execution of GraphQL operations: documents, limits, cost, results and errors."""
