"""The audit log: notes never wait, equal ones are counted, and a store that fails loses nothing from the log."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
import structlog

from catalogue.ports.audit import Audit, AuditEntry
from server.callers.audit_log import AuditLog

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class _Store:
    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.written = asyncio.Event()
        self.fails = False

    async def audit(self, entries: Sequence[AuditEntry]) -> None:
        if self.fails:
            raise OSError("disk full")
        self.entries.extend(entries)
        self.written.set()

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        assert before is None
        return tuple(reversed(self.entries))[:limit]


def _log(store: _Store, **shares: int) -> AuditLog:
    return AuditLog(store, now=lambda: NOW, **shares)


async def test_what_was_noted_is_on_the_page_at_once() -> None:
    audit: Audit = _log(_Store())
    audit.note(actor="ops", action="refreshCatalogue", target="openrouter", outcome="ok")
    (entry,) = await audit.audit_page(None, 10)
    assert entry == AuditEntry(at=NOW, actor="ops", action="refreshCatalogue", target="openrouter", outcome="ok")


async def test_equal_notes_are_one_entry_with_a_count() -> None:
    store = _Store()
    audit = _log(store)
    for outcome in ("rejected", "rejected", "other", "rejected"):
        audit.note(actor="address:192.0.2.1", action="authenticate", outcome=outcome)
    await audit.write()
    assert [(entry.outcome, entry.count) for entry in store.entries] == [("rejected", 3), ("other", 1)]


async def test_uses_of_keys_wait_for_their_minute() -> None:
    store = _Store()
    audit = _log(store)
    audit.note(actor="key:0123456789ab", action="useProviderKey", target="openrouter", outcome="ok")
    assert not await audit.audit_page(None, 10)
    audit.note(actor="key:0123456789ab", action="useProviderKey", target="openrouter", outcome="ok")
    await audit.write()
    assert [entry.count for entry in store.entries] == [2]


async def test_too_many_different_notes_are_counted_as_lost() -> None:
    store = _Store()
    audit = _log(store, max_pending=2)
    for number in range(5):
        audit.note(actor=f"admin-{number}", action="refreshCatalogue", outcome="ok")
    with structlog.testing.capture_logs() as records:
        await audit.write()
    assert len(store.entries) == 2
    assert {"event": "audit_entries_lost", "log_level": "warning", "count": 3} in records


async def test_made_up_keys_crowd_out_nothing_and_are_counted_together() -> None:
    store = _Store()
    audit = _log(store, max_pending=2, max_keys=2)
    for number in range(50):
        audit.note(actor=f"key:{number:012x}", action="useProviderKey", target="openrouter", outcome="ok")
    audit.note(actor=f"key:{0:012x}", action="useProviderKey", target="openrouter", outcome="ok")
    audit.note(actor="ops", action="refreshCatalogue", outcome="ok")
    audit.note(actor="address:192.0.2.1", action="authenticate", outcome="rejected")
    with structlog.testing.capture_logs() as records:
        await audit.write()
    assert [(entry.actor, entry.target, entry.count) for entry in store.entries] == [
        ("ops", None, 1),
        ("address:192.0.2.1", None, 1),
        (f"key:{0:012x}", "openrouter", 2),
        (f"key:{1:012x}", "openrouter", 1),
        ("key:others", None, 48),
    ]
    assert "audit_entries_lost" not in [record["event"] for record in records]


async def test_strangers_of_ever_other_addresses_are_counted_together_and_crowd_out_no_admin() -> None:
    store = _Store()
    audit = _log(store, max_pending=1, max_unauthenticated=2)
    for number in range(5_000):
        audit.note(actor=f"address:192.0.2.{number % 250}", action="authenticate", outcome="rejected")
        audit.note(actor="address:198.51.100.1", action="resolveQuarantine", target=str(number), outcome="forbidden")
    audit.note(actor="ops", action="refreshCatalogue", outcome="ok")
    page = await audit.audit_page(None, 10)
    assert [(entry.actor, entry.action, entry.count) for entry in page] == [
        ("address:others", "resolveQuarantine", 4_998),
        ("address:198.51.100.1", "resolveQuarantine", 1),
        ("address:198.51.100.1", "resolveQuarantine", 1),
        ("address:others", "authenticate", 4_960),
        ("address:192.0.2.1", "authenticate", 20),
        ("address:192.0.2.0", "authenticate", 20),
        ("ops", "refreshCatalogue", 1),
    ]


async def test_who_sent_a_wrong_token_is_told_whatever_is_tried_without_one() -> None:
    audit = _log(_Store(), max_unauthenticated=2)
    for number in range(1_000):
        audit.note(actor=f"address:192.0.2.{number % 250}", action="resolveQuarantine", outcome="unauthenticated")
    audit.note(actor="address:198.51.100.1", action="authenticate", outcome="rejected")
    page = await audit.audit_page(None, 10)
    assert [entry.actor for entry in page if entry.action == "authenticate"] == ["address:198.51.100.1"]


async def test_every_entry_is_in_the_structured_log_also_when_the_store_fails() -> None:
    store = _Store()
    store.fails = True
    audit = _log(store)
    audit.note(actor="ops", action="refreshCatalogue", outcome="ok")
    with structlog.testing.capture_logs() as records:
        await audit.write()
    assert [record["event"] for record in records] == ["audit", "audit_entries_not_stored"]
    assert records[0]["actor"] == "ops"
    store.fails = False
    audit.note(actor="ops", action="refreshCatalogue", outcome="ok")
    await audit.write()
    assert len(store.entries) == 1


async def test_the_task_writes_by_itself_and_once_more_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.callers.audit_log.WRITE_SECONDS", 0)
    store = _Store()
    audit = _log(store)
    audit.note(actor="ops", action="refreshCatalogue", outcome="ok")
    task = asyncio.create_task(audit.run())
    async with asyncio.timeout(30):
        await store.written.wait()
    audit.note(actor="key:0123456789ab", action="useProviderKey", outcome="ok")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [entry.actor for entry in store.entries] == ["ops", "key:0123456789ab"]
