"""A practice upstream: a loopback server that plays the providers, faults and all."""
