"""The audit log: noting an event never waits, equal events are counted together, and a task writes them to the store.

Admin actions are flushed every second. Entries from unauthenticated clients and keys are flushed once a minute and
capped per category; anything over the cap is merged into a single `others` entry. Wrong tokens are a category of their
own, apart from attempts without a token.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime

import structlog

from catalogue.ports.audit import ADDRESS_ACTOR, AUTHENTICATE, KEY_ACTOR, AuditEntry, AuditRecords

OTHERS = "others"
"""Ends the actor of the entry that all events over a category's cap are merged into."""
WRITE_SECONDS = 1.0
SLOW_WRITE_SECONDS = 60.0
_LAST_SECONDS = 5.0
"""How long a stopping server waits for the store to take the last entries."""
MAX_PENDING = 10_000
MAX_UNAUTHENTICATED = 200
"""Different entries from unauthenticated clients in a minute: for wrong tokens, and the same number for the rest."""
MAX_KEYS = 1_000

log = structlog.get_logger(__name__)
_Event = tuple[str, str, str | None, str]


@dataclass(slots=True)
class _Share:
    """At most `most` different events that wait to be written; any more are merged into `others`, if that is given."""

    most: int
    others: str | None = None
    waiting: dict[_Event, AuditEntry] = field(default_factory=dict)

    def count(self, event: _Event, at: datetime) -> bool:
        """Count an event; False if there was no room for it."""
        actor, action, target, outcome = event
        if event not in self.waiting and len(self.waiting) >= self.most:
            if self.others is None:
                return False
            actor, target = self.others, None
        new = AuditEntry(at=at, actor=actor, action=action, target=target, outcome=outcome, count=0)
        entry = self.waiting.get(event := (actor, action, target, outcome), new)
        self.waiting[event] = replace(entry, count=entry.count + 1)
        return True

    def take(self) -> list[AuditEntry]:
        """Remove and return the waiting entries."""
        taken, self.waiting = list(self.waiting.values()), {}
        return taken


class AuditLog:
    """Notes events for a store; `run` writes them, and once more when it is cancelled."""

    def __init__(
        self,
        store: AuditRecords,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        max_pending: int = MAX_PENDING,
        max_unauthenticated: int = MAX_UNAUTHENTICATED,
        max_keys: int = MAX_KEYS,
    ) -> None:
        self._store = store
        self._now = now
        self._acts = _Share(max_pending)
        self._rejections = _Share(max_unauthenticated, f"{ADDRESS_ACTOR}{OTHERS}")
        self._tries = _Share(max_unauthenticated, f"{ADDRESS_ACTOR}{OTHERS}")
        self._key_uses = _Share(max_keys, f"{KEY_ACTOR}{OTHERS}")
        self._lost = 0
        self._writing = asyncio.Lock()

    def note(self, *, actor: str, action: str, outcome: str, target: str | None = None) -> None:
        """Note an event. If too many different ones wait, it is counted as lost, and the log reports the number.

        Events of too many addresses or keys are merged instead.
        """
        if not self._share(actor, action).count((actor, action, target, outcome), self._now()):
            self._lost += 1

    def _share(self, actor: str, action: str) -> _Share:
        if actor.startswith(KEY_ACTOR):
            return self._key_uses
        if actor.startswith(ADDRESS_ACTOR):
            return self._rejections if action == AUTHENTICATE else self._tries
        return self._acts

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Entries before a position, newest first, including those just noted, except for uses of keys."""
        await self._write(self._acts, self._rejections, self._tries)
        return await self._store.audit_page(before, limit)

    async def run(self) -> None:
        """Write admin actions every second and everything every minute, until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time() + SLOW_WRITE_SECONDS
        try:
            while True:
                await asyncio.sleep(WRITE_SECONDS)
                if loop.time() < due:
                    await self._write(self._acts)
                else:
                    due = loop.time() + SLOW_WRITE_SECONDS
                    await self.write()
        finally:
            try:
                async with asyncio.timeout(_LAST_SECONDS):
                    await self.write()
            except TimeoutError:
                log.exception("audit_entries_not_stored", error="The store did not take them before the server ended.")

    async def write(self) -> None:
        """Write all waiting entries, to the log as well, which keeps those that the store refuses."""
        await self._write(self._acts, self._rejections, self._tries, self._key_uses)

    async def _write(self, *shares: _Share) -> None:
        async with self._writing:
            entries = [entry for share in shares for entry in share.take()]
            lost, self._lost = self._lost, 0
            for entry in entries:
                record = asdict(entry) | {"at": entry.at.isoformat()}
                del record["seq"]
                log.info("audit", **record)
            if lost:
                log.warning("audit_entries_lost", count=lost)
            if entries:
                try:
                    await self._store.audit(entries)
                except Exception:  # whatever the store's fault is, later entries are written
                    log.exception("audit_entries_not_stored", count=len(entries))
