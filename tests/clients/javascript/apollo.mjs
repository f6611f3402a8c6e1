// Apollo Client: persisted queries by GET, and subscriptions over a WebSocket.
import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { CombinedGraphQLErrors } from "@apollo/client/errors";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { operations, REFRESH, socketUrl, tell, token, url, watched } from "./program.mjs";

const wire = [];
const socket = createClient({ url: socketUrl, webSocketImpl: WebSocket });
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const http = ApolloLink.from([
  new PersistedQueryLink({ sha256, useGETForHashedQueries: true }),
  new HttpLink({ uri: url, fetch: watched(wire) }),
]);
const client = new ApolloClient({
  cache: new InMemoryCache({ typePolicies: { Catalogue: { keyFields: [] }, Pricing: { merge: true } } }),
  link: ApolloLink.split(({ operationType }) => operationType === "subscription", new GraphQLWsLink(socket), http),
});

async function requests(work) {
  wire.length = 0;
  const outcome = await work().catch((error) => error);
  return { outcome, wire: [...wire] };
}

const query = gql(operations.Pick);
const fetchPolicy = "network-only";
const pick = (provider) =>
  requests(() => client.query({ query, variables: { provider, capability: "VISION" }, fetchPolicy }));

const unknown = await pick("openrouter");
const known = await pick("openrouter");
const wrong = await pick("nobody");
const context = { headers: { authorization: `Bearer ${token}` } };
const refresh = await client.mutate({ mutation: gql(REFRESH), context });
const { data } = await client.query({ query: gql(operations.Now) });
tell({
  names: known.outcome.data.models.map((model) => model.name),
  registering: unknown.wire,
  registered: known.wire,
  code: CombinedGraphQLErrors.is(wrong.outcome) && wrong.outcome.errors[0].extensions.code,
  refresh: refresh.data.refreshCatalogue.results.map((result) => result.outcome),
});

const following = client.subscribe({ query: gql(operations.Follow), variables: { since: data.catalogue.cursor } });
const subscription = following.subscribe(async ({ data: event, error }) => {
  tell({ event: event?.catalogueChanged, error: error?.message });
  subscription.unsubscribe();
  await socket.dispose();
  client.stop();
});
tell({ following: true });
