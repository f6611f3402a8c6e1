"""Revisions to store: small ones, numbered by whoever asks."""

from collections.abc import Sequence
from datetime import datetime

from catalogue.change import Change, ModelAdded, Resync
from catalogue.health import Standing
from catalogue.listing import Listing
from catalogue.ports.store import Commit
from tests.catalogue.strategies import NOW, PROVIDER, listing, model, state


def added(seq: int, *, at: datetime = NOW) -> Change:
    """A change at a position in the log."""
    facts = model(f"m{seq}")
    return ModelAdded(seq=seq, at=at, provider_id=PROVIDER, model=state(listing(facts)).view(facts, at))


def resync(seq: int, *, at: datetime = NOW) -> Change:
    """The smallest change there is."""
    return Resync(seq=seq, at=at, reason="Read anew.")


def revision(
    number: int,
    changes: Sequence[Change] = (),
    *,
    of: Listing | None = None,
    standing: Standing | None = None,
    at: datetime = NOW,
) -> Commit:
    """A revision to commit."""
    return Commit(revision=number, at=at, changes=changes, listing=of, standing=standing)
