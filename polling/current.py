"""The holder of the current state: one reference, replaced whole. Its maker is the ledger."""

from catalogue.snapshot import Snapshot


class Current:
    """A `catalogue.ports.reading.Reader`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @property
    def snapshot(self) -> Snapshot:
        """The catalogue now."""
        return self._snapshot

    def show(self, snapshot: Snapshot) -> None:
        """Serve another snapshot from now on."""
        self._snapshot = snapshot
