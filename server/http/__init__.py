"""The application's routes: GraphQL over HTTP, event streams and WebSockets, and the rules of the web around them."""
