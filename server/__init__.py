"""The composition root: settings, HTTP, WebSocket and SSE, the command line."""
