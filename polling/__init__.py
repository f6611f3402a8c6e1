"""Keeping the world in step: schedules, probes, breakers and the ledger of revisions."""
