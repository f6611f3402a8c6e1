"""The configuration: settings, the files that they name, secrets, and the data folder."""
