"""The command line's questions to a running server."""
