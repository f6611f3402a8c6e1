"""Every store, opened and opened again. The tests of the contract run over each of them."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pytest

from backends.retention import Retention
from backends.sqlite import SqliteStore, open_store
from catalogue.ports.audit import AuditRecords
from catalogue.ports.health import HealthRecords
from catalogue.ports.reading import Log
from catalogue.ports.revisions import Revisions
from tests.backends.samples import begin
from tests.catalogue.strategies import NOW


class Store(Revisions, Log, HealthRecords, AuditRecords, Protocol):
    """Every port of a store."""

    async def trim(self, now: datetime) -> None:
        """Drop what is past its retention."""


class Seat(Protocol):
    """A place where a store lasts."""

    async def open(self, retention: Retention | None = None, *, begun: bool = True) -> Store:
        """The store as a new process would find it, with an epoch unless it is not to be `begun`."""

    async def close(self) -> None:
        """Let go of the store."""


class SqliteSeat:
    """One SQLite file. Opening it again closes it first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: SqliteStore | None = None

    async def open(self, retention: Retention | None = None, *, begun: bool = True) -> SqliteStore:
        """The store as a new process would find it."""
        await self.close()
        self._open = await open_store(self.path, clock=lambda: NOW, retention=retention or Retention())
        if begun:
            await begin(self._open)
        return self._open

    async def close(self) -> None:
        """Let go of the file."""
        if self._open is not None:
            opened, self._open = self._open, None
            await opened.close()


def filled(path: Path, fill: Callable[[SqliteStore], Awaitable[None]]) -> SqliteSeat:
    """A closed store that was filled, for the tests of a module to copy."""

    async def write() -> SqliteSeat:
        seat = SqliteSeat(path)
        await fill(await seat.open())
        await seat.close()
        return seat

    return asyncio.run(write())


def copied(seat: SqliteSeat, folder: Path) -> SqliteSeat:
    """A copy of a closed store."""
    return SqliteSeat(Path(shutil.copy(seat.path, folder / "store.sqlite3")))


@pytest.fixture(params=["sqlite"])
async def seat(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Seat]:
    seats = {"sqlite": SqliteSeat(tmp_path / "data" / "store.sqlite3")}
    seat: Seat = seats[request.param]
    yield seat
    await seat.close()


@pytest.fixture
async def store(seat: Seat) -> Store:
    return await seat.open()
