"""A small GraphQL schema behind the server's own stack: what the protocols, the limits and the transports do."""
