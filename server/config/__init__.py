"""What the operator decides: the settings, the lists and secrets beside them, and the folder that keeps what lasts."""
