"""Where shared state lives: the store, behind the catalogue's ports."""
