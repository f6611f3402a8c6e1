"""How an answer is computed, fast and safely."""
