// Sends the compiled query, page after page, as a Relay network layer does.
import { tell, url } from "../program.mjs";

const { default: request } = await import("./__generated__/pickerQuery.graphql.js");
const seen = [];
let page = { endCursor: null, hasNextPage: true };
while (page.hasNextPage) {
  const variables = { provider: ["openrouter"], first: 4, after: page.endCursor };
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
    body: JSON.stringify({ query: request.params.text, variables }),
  });
  const { data } = await response.json();
  seen.push(data.modelsConnection.edges.map(({ node }) => node.id));
  page = data.modelsConnection.pageInfo;
}
tell({ pages: seen });
