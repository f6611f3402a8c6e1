"""Revisions to store: small ones, numbered by the caller."""

from collections.abc import Sequence
from datetime import datetime

from catalogue.change import Change, ModelAdded, Resync
from catalogue.health import Health
from catalogue.listing import Listing
from catalogue.ports.revisions import Commit, Revisions, StoredListing
from catalogue.position import Position
from tests.catalogue.strategies import HOUR, NOW, PROVIDER, listing, model, state

EPOCH = "0123456789abcdef"


async def begin(store: Revisions) -> None:
    """Open the first epoch of a store that has none, as a server's start does."""
    if not (await store.load()).timeline.epochs:
        await store.register([], NOW, list_ttl=HOUR, opens=EPOCH)


def added(seq: int, *, at: datetime = NOW) -> Change:
    """A change at a position in the log."""
    facts = model(f"m{seq}")
    view = state(listing(facts)).view(facts, fallback=at)
    return ModelAdded(position=Position(EPOCH, seq), at=at, provider_id=PROVIDER, model=view)


def resync(seq: int, *, at: datetime = NOW) -> Change:
    """The smallest change there is."""
    return Resync(position=Position(EPOCH, seq), at=at, reason="Read again.")


def kept(listing: Listing, as_of: datetime = NOW) -> StoredListing:
    """A listing as it is stored."""
    return StoredListing(listing=listing, as_of=as_of)


def revision(
    number: int,
    changes: Sequence[Change] = (),
    *,
    of: Listing | None = None,
    health: Health | None = None,
    at: datetime = NOW,
    opens: str | None = None,
) -> Commit:
    """A revision to commit, after the one with the number before it."""
    return Commit(
        follows=number - 1,
        revision=number,
        at=at,
        changes=changes,
        listing=kept(of, at) if of else None,
        health=health,
        opens=opens,
    )


def seqs(changes: Sequence[Change]) -> list[int]:
    """The numbers of some changes."""
    return [change.position.seq for change in changes]
