"""Holds the current state: one reference, which the ledger replaces."""

from dataclasses import dataclass

from catalogue.snapshot import Snapshot


@dataclass(slots=True)
class Current:
    """A `catalogue.ports.reading.Reader`."""

    snapshot: Snapshot
