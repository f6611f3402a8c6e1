"""The audit log: notes are taken without waiting, equal ones counted together, and a task writes them to the store."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import structlog

from catalogue.audit import AuditEntry

KEY_ACTOR = "key:"
"""How the actor of a caller's key begins; its uses are counted per minute."""
OTHER_KEYS = f"{KEY_ACTOR}others"
"""The actor of one minute's uses of all keys beyond the first `MAX_KEYS`."""
WRITE_SECONDS = 1.0
KEY_SECONDS = 60.0
MAX_PENDING = 10_000
MAX_KEYS = 1_000
"""Strangers can make up keys: these have a share of their own, so that they crowd out nothing else."""

_log = structlog.get_logger(__name__)
_Event = tuple[str, str, str | None, str]


class AuditStore(Protocol):
    """The part of a store that keeps audit entries."""

    async def audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append to the audit log."""

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Audit entries before a position, newest first."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class AuditLog:
    """Takes notes for a store; `run` writes them, and once more when it is cancelled."""

    def __init__(
        self,
        store: AuditStore,
        *,
        now: Callable[[], datetime] = _utc_now,
        max_pending: int = MAX_PENDING,
        max_keys: int = MAX_KEYS,
    ) -> None:
        self._store = store
        self._now = now
        self._max_pending = max_pending
        self._max_keys = max_keys
        self._pending: dict[_Event, AuditEntry] = {}
        self._key_uses: dict[_Event, AuditEntry] = {}
        self._lost = 0
        self._writing = asyncio.Lock()

    def note(self, *, actor: str, action: str, outcome: str, target: str | None = None) -> None:
        """Take a note of an event; when too many different ones wait, it is counted as lost and the log says so.

        Uses of too many different keys are counted together, as those of `OTHER_KEYS`.
        """
        event = (actor, action, target, outcome)
        if actor.startswith(KEY_ACTOR):
            known = event in self._key_uses or len(self._key_uses) < self._max_keys
            self._count(self._key_uses, event if known else (OTHER_KEYS, action, None, outcome))
        elif event in self._pending or len(self._pending) < self._max_pending:
            self._count(self._pending, event)
        else:
            self._lost += 1

    def _count(self, waiting: dict[_Event, AuditEntry], event: _Event) -> None:
        entry = waiting.get(event)
        if entry is not None:
            waiting[event] = replace(entry, count=entry.count + 1)
            return
        actor, action, target, outcome = event
        waiting[event] = AuditEntry(at=self._now(), actor=actor, action=action, target=target, outcome=outcome)

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Entries before a position, newest first; what was noted just now is among them, uses of keys set aside."""
        await self.write(keys=False)
        return await self._store.audit_page(before, limit)

    async def run(self) -> None:
        """Write what was noted, every second, and uses of keys every minute, until cancelled."""
        loop = asyncio.get_running_loop()
        keys_due = loop.time() + KEY_SECONDS
        try:
            while True:
                await asyncio.sleep(WRITE_SECONDS)
                due = loop.time() >= keys_due
                keys_due = loop.time() + KEY_SECONDS if due else keys_due
                await self.write(keys=due)
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(KEY_SECONDS):
                    await self.write(keys=True)

    async def write(self, *, keys: bool) -> None:
        """Write what waits, with the uses of keys or without; what the store does not take is in the log."""
        async with self._writing:
            entries = [*self._pending.values(), *(self._key_uses.values() if keys else ())]
            self._pending.clear()
            if keys:
                self._key_uses.clear()
            lost, self._lost = self._lost, 0
            for entry in entries:
                _log.info(
                    "audit",
                    actor=entry.actor,
                    action=entry.action,
                    target=entry.target,
                    outcome=entry.outcome,
                    count=entry.count,
                    at=entry.at.isoformat(),
                )
            if lost:
                _log.warning("audit entries lost", count=lost)
            if entries:
                try:
                    await self._store.audit(entries)
                except Exception:  # noqa: BLE001 - whatever the store's fault is, the log goes on
                    _log.exception("audit entries not stored", count=len(entries))
