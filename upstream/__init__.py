"""Calls to providers: rate limits, keys, HTTP, the parsing of lists, and errors."""
