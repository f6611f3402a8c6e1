"""The catalogue's GraphQL surface: the real schema, built snapshots, ports played in memory."""
