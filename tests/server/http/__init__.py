"""The routes: GraphQL over HTTP, event streams and sockets, the models document, and who may ask."""
