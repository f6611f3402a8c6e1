"""Tests of the server's rim: configuration, callers, limits, logs, the web's rules and the command line."""
