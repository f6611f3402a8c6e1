// graphql-codegen: the schema comes from the server that runs, the types from the operations that all clients ask.
export default {
  schema: process.env.SERVER_URL,
  documents: "../operations.graphql",
  generates: {
    "operations.ts": {
      plugins: ["typescript-operations", "typed-document-node"],
      config: { scalars: { Cursor: "string", DateTime: "string" } },
    },
  },
};
