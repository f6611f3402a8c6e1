"""The audit log: notes are taken without waiting, equal ones counted together, and a task writes them to the store.

What admins do is written every second. What strangers do, who can make up keys and come from ever other addresses, is
written every minute, in shares of their own: beyond them, all that is of one kind is one entry. Wrong tokens have
another share than what is tried without any.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import structlog

from catalogue.audit import AUTHENTICATE, KEY_ACTOR, STRANGER_ACTOR, AuditEntry

OTHERS = "others"
"""Ends the actor that stands for all of its kind beyond the first `MAX_STRANGERS` or `MAX_KEYS` of a minute."""
WRITE_SECONDS = 1.0
STRANGER_SECONDS = 60.0
_LAST_SECONDS = 5.0
"""How long the end of the server waits for the store to take what is left."""
MAX_PENDING = 10_000
MAX_STRANGERS = 200
"""Different entries of strangers in a minute: so many for wrong tokens, and as many for all else."""
MAX_KEYS = 1_000

log = structlog.get_logger(__name__)
_Event = tuple[str, str, str | None, str]


class AuditStore(Protocol):
    """The part of a store that keeps audit entries."""

    async def audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append to the audit log."""

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Audit entries before a position, newest first."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _Share:
    """Events that wait to be written, so many different ones; any more are counted as `others`, where there is such."""

    def __init__(self, most: int, others: str | None = None) -> None:
        self._most = most
        self._others = others
        self._waiting: dict[_Event, AuditEntry] = {}

    def count(self, event: _Event, at: datetime) -> bool:
        """Count an event; tell whether there was room for it."""
        if event not in self._waiting and len(self._waiting) >= self._most:
            if self._others is None:
                return False
            event = (self._others, event[1], None, event[3])
        entry = self._waiting.get(event)
        actor, action, target, outcome = event
        self._waiting[event] = (
            replace(entry, count=entry.count + 1)
            if entry
            else AuditEntry(at=at, actor=actor, action=action, target=target, outcome=outcome)
        )
        return True

    def take(self) -> list[AuditEntry]:
        """Give what waits, which waits no more."""
        entries = list(self._waiting.values())
        self._waiting.clear()
        return entries


class AuditLog:
    """Takes notes for a store; `run` writes them, and once more when it is cancelled."""

    def __init__(
        self,
        store: AuditStore,
        *,
        now: Callable[[], datetime] = _utc_now,
        max_pending: int = MAX_PENDING,
        max_strangers: int = MAX_STRANGERS,
        max_keys: int = MAX_KEYS,
    ) -> None:
        self._store = store
        self._now = now
        self._acts = _Share(max_pending)
        self._rejections = _Share(max_strangers, f"{STRANGER_ACTOR}{OTHERS}")
        self._tries = _Share(max_strangers, f"{STRANGER_ACTOR}{OTHERS}")
        self._key_uses = _Share(max_keys, f"{KEY_ACTOR}{OTHERS}")
        self._lost = 0
        self._writing = asyncio.Lock()

    def note(self, *, actor: str, action: str, outcome: str, target: str | None = None) -> None:
        """Take a note of an event; when too many different ones wait, it is counted as lost and the log says so.

        What too many strangers or keys do is counted together, as that of `OTHERS`.
        """
        if not self._share(actor, action).count((actor, action, target, outcome), self._now()):
            self._lost += 1

    def _share(self, actor: str, action: str) -> _Share:
        if actor.startswith(KEY_ACTOR):
            return self._key_uses
        if actor.startswith(STRANGER_ACTOR):
            return self._rejections if action == AUTHENTICATE else self._tries
        return self._acts

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Entries before a position, newest first; what was noted just now is among them, uses of keys set aside."""
        await self._write(self._acts, self._rejections, self._tries)
        return await self._store.audit_page(before, limit)

    async def run(self) -> None:
        """Write what was noted, every second, and what strangers and keys did every minute, until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time() + STRANGER_SECONDS
        try:
            while True:
                await asyncio.sleep(WRITE_SECONDS)
                if loop.time() < due:
                    await self._write(self._acts)
                else:
                    due = loop.time() + STRANGER_SECONDS
                    await self.write()
        finally:
            try:
                async with asyncio.timeout(_LAST_SECONDS):
                    await self.write()
            except TimeoutError:
                log.exception("audit_entries_not_stored", error="The store did not take them before the server ended.")

    async def write(self) -> None:
        """Write all that waits; what the store does not take is in the log."""
        await self._write(self._acts, self._rejections, self._tries, self._key_uses)

    async def _write(self, *shares: _Share) -> None:
        async with self._writing:
            entries = [entry for share in shares for entry in share.take()]
            lost, self._lost = self._lost, 0
            for entry in entries:
                log.info(
                    "audit",
                    actor=entry.actor,
                    action=entry.action,
                    target=entry.target,
                    outcome=entry.outcome,
                    count=entry.count,
                    at=entry.at.isoformat(),
                )
            if lost:
                log.warning("audit_entries_lost", count=lost)
            if entries:
                try:
                    await self._store.audit(entries)
                except Exception:  # whatever the store's fault is, what comes next is written
                    log.exception("audit_entries_not_stored", count=len(entries))
