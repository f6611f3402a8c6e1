"""The proofs: each test states one behaviour of the catalogue in a sentence."""
