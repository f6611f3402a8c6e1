"""What can be seen: every GraphQL type, once."""
