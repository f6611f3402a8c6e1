// Apollo Client: persisted queries by GET, and subscriptions over a WebSocket.
import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { CombinedGraphQLErrors } from "@apollo/client/errors";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { CURSOR, FOLLOW, PICK, REFRESH, socketUrl, tell, token, url, watched } from "./program.mjs";

const wire = [];
const socket = createClient({ url: socketUrl, webSocketImpl: WebSocket });
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const http = ApolloLink.from([
  new PersistedQueryLink({ sha256, useGETForHashedQueries: true }),
  new HttpLink({ uri: url, fetch: watched(wire) }),
]);
const client = new ApolloClient({
  cache: new InMemoryCache({ possibleTypes: { Change: ["PriceChanged", "StatusChanged"] } }),
  link: ApolloLink.split(({ operationType }) => operationType === "subscription", new GraphQLWsLink(socket), http),
});

async function requests(work) {
  wire.length = 0;
  const outcome = await work().catch((error) => error);
  return { outcome, wire: [...wire] };
}

const pick = (provider) =>
  requests(() =>
    client.query({ query: gql(PICK), variables: { provider, capability: "VISION" }, fetchPolicy: "network-only" }),
  );

const unknown = await pick("openrouter");
const known = await pick("openrouter");
const wrong = await pick("nobody");
const context = { headers: { authorization: `Bearer ${token}` } };
const refresh = await requests(() => client.mutate({ mutation: gql(REFRESH), context }));
const { data } = await client.query({ query: gql(CURSOR) });
tell({
  names: known.outcome.data.models.map((model) => model.name),
  registering: unknown.wire,
  registered: known.wire,
  code: CombinedGraphQLErrors.is(wrong.outcome) && wrong.outcome.errors[0].extensions.code,
  failing: wrong.wire,
  refresh: refresh.outcome.data.refreshCatalogue.results.map((result) => result.outcome),
  refreshing: refresh.wire,
});

const following = client.subscribe({ query: gql(FOLLOW), variables: { since: data.catalogue.cursor } });
const subscription = following.subscribe(async ({ data: event, error }) => {
  tell({ event: event?.catalogueChanged, error: error?.message });
  subscription.unsubscribe();
  await socket.dispose();
  client.stop();
});
tell({ following: true });
