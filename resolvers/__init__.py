"""The resolvers of the root fields."""
