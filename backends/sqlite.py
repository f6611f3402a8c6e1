"""The embedded store: one SQLite file in WAL mode, used by one thread of its own."""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import structlog

from backends import _audit, _health, _log, _revisions, _versions
from backends._connection import transaction
from backends._faults import understood
from backends._file import Opened, open_file
from backends._rescue import identity, rescued
from backends.retention import Retention
from catalogue.change import EVERYTHING, ChangeFilter
from catalogue.history import HealthBucket, Incident, Probe, Span
from catalogue.listing import Listing
from catalogue.ports.audit import AuditEntry
from catalogue.ports.reading import LogPage
from catalogue.ports.revisions import Commit, Held, Stored
from catalogue.position import Position
from catalogue.vocabulary import UptimeWindow

log = structlog.get_logger(__name__)

Args = TypeVarTuple("Args")
T = TypeVar("T")


class SqliteStore:
    """Every store port of the catalogue in one file. What `commit` returned from survives a crash and a power cut.

    Every method may raise a `StoreError`. A call that is cancelled may still take effect.
    """

    def __init__(
        self,
        path: Path,
        opened: Opened,
        *,
        thread: ThreadPoolExecutor,
        clock: Callable[[], datetime],
        retention: Retention,
        claim: Callable[[], None],
    ) -> None:
        self.notice = opened.notice
        """What to log once: that an unreadable store was moved aside."""
        self._path = path
        self._clock = clock
        self._claim = claim
        self._connection = opened.connection
        self._identity = identity(path)
        self._thread = thread
        self._retention = retention
        self._unread: Stored | None = opened.stored
        self._written = _listings_of(opened.stored)
        self._reported: set[str] = set()

    async def load(self) -> Stored:
        """What was stored last."""
        return await self._run(self._load)

    async def commit(self, commit: Commit) -> None:
        """Store a revision, its changes and its listing in one transaction; StoreConflict unless it comes next."""
        await self._run(self._commit, commit)

    async def confirm(self, provider_id: str, as_of: datetime) -> None:
        """Store that a provider's list was still the same at a later moment, and so is what followers know of it."""
        await self._write(_revisions.confirm, provider_id, as_of)

    async def register(self, provider_ids: Collection[str], at: datetime, *, list_ttl: timedelta, opens: str) -> None:
        """Store which providers are served from now on, how long their lists count as fresh, and a new epoch.

        The health of all other providers is forgotten.
        """
        await self._write(_revisions.register, provider_ids, at, list_ttl, opens)

    async def hold(self, provider_id: str, held: Held | None) -> None:
        """Store the list of a provider that is held back or discarded, or that there is none."""
        await self._write(_revisions.hold, provider_id, held)

    async def read(self, after: int, limit: int, wanted: ChangeFilter = EVERYTHING) -> LogPage:
        """Wanted changes after a position in the log."""
        return await self._run(_log.page, after, limit, wanted)

    async def oldest(self) -> Position:
        """The earliest position in the log that can still be resumed."""
        return await self._run(_log.oldest)

    async def record(self, probes: Sequence[Probe], spans: Sequence[Span] = ()) -> None:
        """Count probes and the time between them into the health history."""
        await self._write(_health.record, probes, spans)

    async def open_incident(self, incident: Incident) -> None:
        """Store that a provider went down, or, with `ended_at`, that the incident of this id is over."""
        await self._write(_health.write_incident, incident)

    async def health(
        self, provider_ids: Sequence[str], window: UptimeWindow, now: datetime
    ) -> Mapping[str, Sequence[HealthBucket]]:
        """The buckets of each provider, oldest first, the last one holding `now`."""
        return await self._run(_health.buckets, provider_ids, window, now, self._report)

    async def incidents(self, provider_ids: Sequence[str], limit: int) -> Mapping[str, Sequence[Incident]]:
        """Each provider's incidents, newest first."""
        return await self._run(_health.incidents, provider_ids, limit, self._report)

    async def audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append to the audit log."""
        await self._write(_audit.append, entries)

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Audit entries before a position, newest first."""
        return await self._run(_audit.page, before, limit, self._report)

    async def trim(self, now: datetime) -> None:
        """Drop what is past its retention."""
        await self._write(self._trim, now)

    async def close(self) -> None:
        """Flush and close; a store is used no more after that."""
        try:
            await self._run(self._close)
        finally:
            self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[sqlite3.Connection, *Args], T], *args: *Args) -> T:
        with understood():
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._connection, *args))

    async def _write(self, work: Callable[[sqlite3.Connection, *Args], None], *args: *Args) -> None:
        await self._run(lambda _: self._transact(work, *args))

    def _load(self, connection: sqlite3.Connection) -> Stored:
        stored, self._unread = self._unread or _revisions.read(connection), None
        self._written = _listings_of(stored)
        return stored

    def _commit(self, _: sqlite3.Connection, commit: Commit) -> None:
        self._transact(_revisions.commit, commit, self._written)
        if commit.listing is not None:
            listing = commit.listing.listing
            self._written[listing.provider_id] = listing

    def _transact(self, work: Callable[[sqlite3.Connection, *Args], None], *args: *Args) -> None:
        self._unread = None
        self._stay()
        with transaction(self._connection):
            work(self._connection, *args)

    def _stay(self) -> None:
        """See that the file in the store's place is the one that is written to: SQLite would not notice."""
        self._claim()
        if identity(self._path) == self._identity:
            return
        written = rescued(self._connection, self._path, self._clock)
        self._connection.close()
        self._connection, self._identity = written, identity(self._path)

    def _report(self, table: str) -> None:
        """Say once of a table that rows of it are passed over; the next start moves the store aside."""
        if table not in self._reported:
            self._reported.add(table)
            log.error("rows_unreadable", table=table, remedy="A restart moves the store aside and begins a new one.")

    def _close(self, _: sqlite3.Connection) -> None:
        try:
            self._stay()
        finally:
            self._connection.close()

    def _trim(self, connection: sqlite3.Connection, now: datetime) -> None:
        _log.trim(connection, self._retention, now)
        _versions.trim(connection, self._retention, now)
        _health.trim(connection, now)
        _audit.trim(connection, self._retention, now)


def _listings_of(stored: Stored) -> dict[str, Listing]:
    return {id_: kept.listing for id_, kept in stored.listings.items()}


async def open_store(
    path: Path, *, clock: Callable[[], datetime], retention: Retention, claim: Callable[[], None] = lambda: None
) -> SqliteStore:
    """Open the store in this file, made new where there is none or where it cannot be read (see `notice`).

    `claim` is called in the store's thread before each write, and sees that the folder still is this server's; what it
    raises ends the write.

    Raises:
        StoreUnusable: The folder, or a file of the store, cannot be read or written.
        StoreConflict: Another process holds the file.
    """
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
    try:
        opened = await asyncio.get_running_loop().run_in_executor(thread, open_file, path, clock)
    except BaseException:
        thread.shutdown(wait=False)
        raise
    return SqliteStore(path, opened, thread=thread, clock=clock, retention=retention, claim=claim)
