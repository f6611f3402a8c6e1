"""Settings, the data folder, and the page that documents them."""
