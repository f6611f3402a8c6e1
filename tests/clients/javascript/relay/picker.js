// A paged list and a subscription, as a Relay application writes them; the compiler reads the tagged texts.
import { graphql } from "relay-runtime";

export const query = graphql`
  query pickerQuery($provider: [ID!], $first: Int!, $after: String) {
    ...picker_models @arguments(provider: $provider, first: $first, after: $after)
  }
`;

export const models = graphql`
  fragment picker_models on Query
  @argumentDefinitions(provider: { type: "[ID!]" }, first: { type: "Int!" }, after: { type: "String" })
  @refetchable(queryName: "pickerPageQuery") {
    modelsConnection(provider: $provider, first: $first, after: $after)
      @connection(key: "picker_modelsConnection", filters: ["provider"]) {
      edges {
        node {
          id
          name
        }
      }
    }
  }
`;

export const follow = graphql`
  subscription pickerFollowSubscription($since: Cursor) {
    catalogueChanged(kinds: PRICE_CHANGED, since: $since) {
      cursor
      ... on PriceChanged {
        model {
          id
        }
      }
    }
  }
`;
