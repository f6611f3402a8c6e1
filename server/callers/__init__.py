"""Who asks, how much they may, and what is noted of what they did."""
