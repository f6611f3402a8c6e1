"""Who we read: one small module per provider over a shared kit."""
