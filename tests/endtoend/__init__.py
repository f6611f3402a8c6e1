"""The whole server as a process of its own, asked over real sockets, with the practice upstream behind it."""
