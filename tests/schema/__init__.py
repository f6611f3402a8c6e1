"""The exported schema against the contract."""
