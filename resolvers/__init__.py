"""How each field gets its data."""
