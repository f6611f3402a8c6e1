"""The GraphQL surface: real schema, built snapshots, ports played in memory."""
