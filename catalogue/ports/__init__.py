"""What the catalogue needs from others, as Protocols: one file per noun."""
