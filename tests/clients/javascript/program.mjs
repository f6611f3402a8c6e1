// What every program here shares: the address of the server, the operations, and the way to tell what was seen.
import { readFileSync } from "node:fs";
import { parse, print } from "graphql";

export const url = process.argv[2];
export const socketUrl = url.replace("http", "ws");
export const token = process.argv[3];

// The operations by name, each as a text of its own.
const written = parse(readFileSync(new URL("operations.graphql", import.meta.url), "utf8"));
export const operations = Object.fromEntries(written.definitions.map((each) => [each.name.value, print(each)]));
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
