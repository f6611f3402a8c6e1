// urql: subscriptions over Server-Sent Events, by its own fetch (queries by POST or GET) or by the graphql-sse client.
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-sse";
import { operations, REFRESH, tell, token, url, watched } from "./program.mjs";

const variant = process.argv[4];
const wire = [];
const sse = createClient({ url });
const overSse = subscriptionExchange({
  forwardSubscription: ({ query, variables }) => ({
    subscribe: (sink) => ({ unsubscribe: sse.subscribe({ query, variables }, sink) }),
  }),
});
const client = new Client({
  url,
  fetch: watched(wire),
  exchanges: variant === "graphql-sse" ? [overSse, fetchExchange] : [fetchExchange],
  fetchSubscriptions: variant !== "graphql-sse",
  preferGetMethod: variant === "GET" ? "force" : false,
});

const picked = await client.query(operations.Pick, { provider: "openrouter", capability: "VISION" }).toPromise();
const wrong = await client.query(operations.Pick, { provider: "nobody" }).toPromise();
const fetchOptions = { headers: { authorization: `Bearer ${token}` } };
const refresh = await client.mutation(REFRESH, {}, { fetchOptions }).toPromise();
const { data } = await client.query(operations.Now, {}).toPromise();
tell({
  names: picked.data.models.map((model) => model.name),
  code: wrong.error.graphQLErrors[0].extensions.code,
  refresh: refresh.data.refreshCatalogue.results.map((result) => result.outcome),
  wire: [...wire],
});

wire.length = 0;
const following = client.subscription(operations.Follow, { since: data.catalogue.cursor });
const subscription = following.subscribe(({ data: event, error }) => {
  tell({ event: event?.catalogueChanged, error: error?.message, wire });
  // Not at once: urql 6.0 leaves an AbortError to nobody when its stream is ended from within an event.
  setImmediate(() => subscription.unsubscribe());
});
tell({ following: true });
