"""Who calls, with which keys and tokens, and how much each may ask."""
