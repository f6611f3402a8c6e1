"""How documents are measured and run, over the small schema and over the catalogue's."""
