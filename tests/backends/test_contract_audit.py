"""The contract of every store: the audit log is appended to and read a page at a time."""

from dataclasses import replace
from datetime import timedelta

from backends.retention import Retention
from catalogue.ports.audit import AuditEntry
from tests.backends.conftest import Seat, Store
from tests.catalogue.strategies import NOW

DAY = timedelta(days=1)


def entry(number: int) -> AuditEntry:
    return AuditEntry(
        at=NOW + number * DAY, actor="ops", action="refreshCatalogue", target="acme", outcome="ok", count=number
    )


async def test_entries_come_back_whole_newest_first_each_with_its_position(seat: Seat) -> None:
    await (await seat.open()).audit([entry(1), replace(entry(2), target=None)])
    page = await (await seat.open()).audit_page(None, 10)
    assert page == (replace(entry(2), seq=2, target=None), replace(entry(1), seq=1))


async def test_pages_follow_each_other_without_gap_or_repeat(store: Store) -> None:
    await store.audit([entry(n) for n in range(1, 6)])
    first = await store.audit_page(None, 2)
    second = await store.audit_page(first[-1].seq, 2)
    third = await store.audit_page(second[-1].seq, 2)
    assert [e.count for e in (*first, *second, *third)] == [5, 4, 3, 2, 1]
    assert await store.audit_page(third[-1].seq, 2) == ()


async def test_old_entries_go_and_their_positions_are_not_used_again(seat: Seat) -> None:
    store = await seat.open(Retention(audit_age=10 * DAY))
    await store.audit([entry(1), entry(2)])
    await store.trim(NOW + 11 * DAY + timedelta(seconds=1))
    assert [e.seq for e in await store.audit_page(None, 10)] == [2]
    await store.trim(NOW + 100 * DAY)
    await store.audit([entry(100)])
    assert [e.seq for e in await store.audit_page(None, 10)] == [3]


async def test_the_oldest_entries_of_strangers_go_where_there_are_too_many_and_no_others(seat: Seat) -> None:
    """Wrong tokens, tries without a token, and callers' keys each have a number of their own."""
    store = await seat.open(Retention(audit_strangers=2))
    rejected = [replace(entry(n), actor=f"address:192.0.2.{n}", action="authenticate") for n in range(1, 3)]
    tried = [replace(entry(n), actor=f"address:198.51.100.{n}") for n in range(1, 6)]
    keys = [replace(entry(n), actor=f"key:{n:012x}", action="useProviderKey") for n in range(1, 5)]
    admins = [replace(entry(n), actor=actor) for n, actor in enumerate(("ops", "key", "address", "authenticate"), 1)]
    await store.audit([*admins, *rejected, *tried, *keys])
    await store.trim(NOW)
    kept = {(e.actor, e.action) for e in await store.audit_page(None, 100)}
    assert kept == {(e.actor, e.action) for e in (*admins, *rejected, *tried[-2:], *keys[-2:])}
