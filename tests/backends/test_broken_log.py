"""A log of changes with a broken place: it ends there, so that followers read anew instead of missing something."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backends.sqlite import SqliteStore
from catalogue.change import ChangeFilter
from tests.backends.conftest import SqliteSeat, copied, filled
from tests.backends.samples import added, revision, seqs
from tests.catalogue.strategies import PROVIDER


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SqliteSeat:
    """A closed store with ten changes."""
    return filled(tmp_path_factory.mktemp("whole") / "store.sqlite3", fill)


async def fill(store: SqliteStore) -> None:
    for seq in range(1, 11):
        await store.commit(revision(seq, [added(seq)]))


@pytest.fixture
def seat(whole: SqliteSeat, tmp_path: Path) -> SqliteSeat:
    """A copy of the whole store, to be spoilt."""
    return copied(whole, tmp_path)


def spoil(seat: SqliteSeat, statement: str) -> None:
    with closing(sqlite3.connect(seat.path, isolation_level=None)) as connection:
        connection.execute(statement)


BROKEN = [
    "UPDATE detail SET body = '{}' WHERE id = 4",
    "UPDATE detail SET body = '{\"model\": ' WHERE id = 4",
    "UPDATE detail SET body = replace(body, 'available', 'sold') WHERE id = 4",
    "UPDATE detail SET body = CAST(x'ff00ff' AS TEXT) WHERE id = 4",
    "UPDATE detail SET body = 12 WHERE id = 4",
    "DELETE FROM detail WHERE id = 4",
    "UPDATE version SET facts = '{}' WHERE id = 4",
    "UPDATE version SET facts = (SELECT facts FROM version WHERE id = 5) WHERE id = 4",
    "UPDATE version SET first_seen = 'then' WHERE id = 4",
    "UPDATE version SET first_seen = 9e18 WHERE id = 4",
    "DELETE FROM version WHERE id = 4",
    "UPDATE change SET kind = 77 WHERE seq = 4",
    "UPDATE change SET kind = 'MODEL_SOLD' WHERE seq = 4",
    "UPDATE change SET at = 'then' WHERE seq = 4",
    "UPDATE change SET version = NULL WHERE seq = 4",
    "UPDATE change SET detail = 99 WHERE seq = 4",
    "DELETE FROM change WHERE seq = 4",
    "DELETE FROM change WHERE seq IN (3, 4)",
]


@pytest.mark.parametrize("statement", BROKEN)
@pytest.mark.parametrize("after", [0, 2, 3])
async def test_a_page_that_would_have_to_pass_the_broken_place_is_marked_as_trimmed(
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
    assert seqs(page.changes) == [5, 6, 7, 8, 9, 10]
    await store.commit(revision(11, [added(11)]))
    assert seqs((await store.read(10, 10)).changes) == [11]


async def test_a_log_that_lost_its_end_says_so(seat: SqliteSeat) -> None:
    spoil(seat, "DELETE FROM change WHERE seq > 7")
    store = await seat.open()
    assert (await store.read(5, 10)).trimmed
    assert (await store.read(7, 10)).trimmed
    assert not (await store.read(10, 10)).trimmed


async def test_pages_before_the_broken_place_are_whole(seat: SqliteSeat) -> None:
    spoil(seat, BROKEN[0])
    page = await (await seat.open()).read(0, 3)
    assert (seqs(page.changes), page.trimmed, page.end) == ([1, 2, 3], False, 3)


@pytest.mark.parametrize("statement", [statement for statement in BROKEN if statement.startswith("DELETE")])
@pytest.mark.parametrize(
    "wanted",
    [
        ChangeFilter(providers=frozenset({PROVIDER})),
        ChangeFilter(kinds=frozenset({"MODEL_ADDED"})),
        ChangeFilter(models=frozenset({f"{PROVIDER}/m4"})),
    ],
)
async def test_a_filtered_page_does_not_pass_over_what_is_missing(
    seat: SqliteSeat, statement: str, wanted: ChangeFilter
) -> None:
    spoil(seat, statement)
    store = await seat.open()
    assert (await store.read(0, 10, wanted)).trimmed
    assert not (await store.read(4, 10, wanted)).trimmed


async def test_a_broken_place_is_logged_once(seat: SqliteSeat) -> None:
    spoil(seat, BROKEN[0])
    store = await seat.open()
    with capture_logs() as lines:
        for after in (0, 3, 0):
            await store.read(after, 10)
    assert [(line["event"], line["up_to"]) for line in lines] == [("changes_unreadable", 4)]
