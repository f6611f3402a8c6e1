"""Provider adapters: one small module per provider, written with the shared kit."""
