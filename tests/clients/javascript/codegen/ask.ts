// Asks with the generated documents, and reads answers and changes through the generated types.
import { GraphQLClient } from "graphql-request";
import { type FollowSubscription, type ModelStatus, NowDocument, PickDocument } from "./operations.js";

declare const process: { argv: string[] };

export function price({ catalogueChanged: change }: FollowSubscription): number | null | undefined {
  return "after" in change ? change.after?.input : undefined;
}

const client = new GraphQLClient(process.argv[2]!);
const { models } = await client.request(PickDocument, { provider: "openrouter", capability: ["VISION"] });
const { catalogue } = await client.request(NowDocument);
const available: ModelStatus = "AVAILABLE";
const names: string[] = models.filter((model) => model.status === available).map((model) => model.name);
console.log(JSON.stringify({ names, cursor: catalogue.cursor satisfies string }));
