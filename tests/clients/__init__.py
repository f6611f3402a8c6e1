"""Public GraphQL clients against the running server."""
