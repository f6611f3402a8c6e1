// What every program here shares: the address of the server, the documents, and the way to tell what was seen.
export const url = process.argv[2];
export const socketUrl = url.replace("http", "ws");
export const token = process.argv[3];

export const PICK = `query Pick($provider: [ID!], $capability: [Capability!]) {
  models(provider: $provider, capability: $capability) { id name pricing { input(per: MILLION) } }
}`;
export const CURSOR = "query Cursor { catalogue { cursor } }";
export const FOLLOW = `subscription Follow($since: Cursor) {
  catalogueChanged(kinds: PRICE_CHANGED, since: $since) {
    kind
    cursor
    ... on PriceChanged { model { id } after { input(per: MILLION) } }
  }
}`;
export const REFRESH = 'mutation { refreshCatalogue(provider: "openrouter") { results { outcome } } }';

// One line of JSON; the test that runs the program reads them as they come.
export function tell(what) {
  process.stdout.write(JSON.stringify(what) + "\n");
}

// A fetch that keeps method, status and types of what went over the wire.
export function watched(log) {
  return async (address, options) => {
    const response = await fetch(address, options);
    const accept = new Headers(options.headers).get("accept");
    log.push({ method: options.method, status: response.status, accept, type: response.headers.get("content-type") });
    return response;
  };
}
