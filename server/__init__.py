"""The server process: configuration, HTTP, WebSocket and SSE, and the command line."""
