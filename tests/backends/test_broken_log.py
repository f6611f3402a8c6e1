"""A log of changes with a broken place: it ends there, so that followers read anew instead of missing something."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.backends.conftest import SqliteSeat
from tests.backends.samples import added, revision


@pytest.fixture
async def seat(tmp_path: Path) -> SqliteSeat:
    """A closed store with ten changes."""
    seat = SqliteSeat(tmp_path / "store.sqlite3")
    await (await seat.open()).commit(revision(1, [added(seq) for seq in range(1, 11)]))
    await seat.close()
    return seat


def spoil(seat: SqliteSeat, statement: str) -> None:
    with closing(sqlite3.connect(seat.path, isolation_level=None)) as connection:
        connection.execute(statement)


BROKEN = [
    "UPDATE change SET body = '{}' WHERE seq = 4",
    "UPDATE change SET body = '{\"kind\": ' WHERE seq = 4",
    "UPDATE change SET body = replace(body, 'MODEL_ADDED', 'MODEL_SOLD') WHERE seq = 4",
    "UPDATE change SET body = CAST(x'ff00ff' AS TEXT) WHERE seq = 4",
    "UPDATE change SET body = 12 WHERE seq = 4",
    "UPDATE change SET body = (SELECT body FROM change WHERE seq = 5) WHERE seq = 4",
    "DELETE FROM change WHERE seq = 4",
    "DELETE FROM change WHERE seq IN (3, 4)",
]


@pytest.mark.parametrize("statement", BROKEN)
@pytest.mark.parametrize("after", [0, 2, 3])
async def test_whoever_would_have_to_pass_the_broken_place_is_told_that_the_log_is_trimmed(
    seat: SqliteSeat, statement: str, after: int
) -> None:
    spoil(seat, statement)
    page = await (await seat.open()).read(after, 10)
    assert (page.trimmed, page.changes) == (True, ())


@pytest.mark.parametrize("statement", BROKEN)
async def test_what_comes_after_the_broken_place_is_read_as_ever(seat: SqliteSeat, statement: str) -> None:
    spoil(seat, statement)
    store = await seat.open()
    assert (await store.read(0, 10)).trimmed
    page = await store.read(4, 10)
    assert [change.seq for change in page.changes] == [5, 6, 7, 8, 9, 10]
    await store.commit(revision(2, [added(11)]))
    assert [change.seq for change in (await store.read(10, 10)).changes] == [11]


async def test_a_log_that_lost_its_end_says_so(seat: SqliteSeat) -> None:
    spoil(seat, "DELETE FROM change WHERE seq > 7")
    store = await seat.open()
    assert (await store.read(5, 10)).trimmed
    assert (await store.read(7, 10)).trimmed
    assert not (await store.read(10, 10)).trimmed


async def test_pages_before_the_broken_place_are_whole(seat: SqliteSeat) -> None:
    spoil(seat, BROKEN[0])
    page = await (await seat.open()).read(0, 3)
    assert ([change.seq for change in page.changes], page.trimmed, page.more) == ([1, 2, 3], False, True)


async def test_a_broken_place_is_logged_once(seat: SqliteSeat) -> None:
    spoil(seat, BROKEN[0])
    store = await seat.open()
    with capture_logs() as lines:
        for after in (0, 3, 0):
            await store.read(after, 10)
    assert [(line["event"], line["up_to"]) for line in lines] == [("changes_unreadable", 4)]
