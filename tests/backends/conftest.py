"""Every store, opened and opened anew; the contract's tests run over each of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from backends.retention import Retention
from backends.sqlite import SqliteStore, open_store
from catalogue.ports.store import Store
from tests.catalogue.strategies import NOW

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


class SqliteSeat:
    """One SQLite file: opening it anew closes it first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: SqliteStore | None = None

    async def open(self, retention: Retention | None = None) -> SqliteStore:
        """The store as a new process would find it."""
        await self.close()
        self._open = await open_store(self.path, clock=lambda: NOW, retention=retention or Retention())
        return self._open

    async def close(self) -> None:
        """Let go of the file."""
        if self._open is not None:
            await self._open.close()
            self._open = None


Seat = SqliteSeat


@pytest.fixture(params=["sqlite"])
async def seat(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Seat]:
    seats = {"sqlite": SqliteSeat(tmp_path / "data" / "store.sqlite3")}
    seat = seats[request.param]
    yield seat
    await seat.close()


@pytest.fixture
async def store(seat: Seat) -> Store:
    return await seat.open()
