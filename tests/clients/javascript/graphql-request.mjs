// graphql-request: plain queries and mutations.
import { ClientError, GraphQLClient } from "graphql-request";
import { operations, REFRESH, tell, token, url, watched } from "./program.mjs";

const wire = [];
const client = new GraphQLClient(url, { fetch: watched(wire) });
const picked = await client.request(operations.Pick, { provider: "openrouter", capability: "VISION" });
const wrong = await client.request(operations.Pick, { provider: "nobody" }).catch((error) => error);
const refresh = await client.request(REFRESH, {}, { authorization: `Bearer ${token}` });
tell({
  names: picked.models.map((model) => model.name),
  code: wrong instanceof ClientError && wrong.response.errors[0].extensions.code,
  refresh: refresh.refreshCatalogue.results.map((result) => result.outcome),
  wire,
});
