"""The parts of the command line: queries to a running server, their output, and checks of an installation."""
