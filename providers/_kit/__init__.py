"""What all adapters share: calls, paging, rows, units, typed errors."""
