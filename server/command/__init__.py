"""What the command line does: what it asks a running server, how it prints it, and how it examines an installation."""
