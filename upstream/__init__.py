"""How a provider is called: one call, its rate and key, how a list becomes rows, and what an error means."""
