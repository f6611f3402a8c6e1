"""A store of an earlier version is taken up with all that it held."""

import sqlite3
from contextlib import closing
from pathlib import Path

from backends import _schema
from catalogue.health import Quarantine
from catalogue.vocabulary import UptimeWindow
from tests.backends.conftest import SqliteSeat
from tests.backends.samples import added, revision
from tests.catalogue.strategies import NOW, PROVIDER


async def test_a_store_of_the_first_version_is_taken_up_with_all_that_it_held(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    now, seen = 1_777_636_800_000_000, 1_777_600_000_000_000
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in _schema._FIRST:
            connection.execute(statement)
        connection.execute("INSERT INTO state VALUES (1, '0123456789abcdef', 7, 1, ?)", (now,))
        connection.execute("INSERT INTO listing VALUES ('acme', 0, 'live', ?), ('acme', 1, 'live', ?)", (now, now))
        facts = '{"id": "acme/a", "provider_id": "acme", "name": "a"}'
        connection.execute("INSERT INTO model VALUES ('acme', 0, 'acme/a', 0, ?, ?)", (seen, facts))
        body = '{"id":"q","provider_id":"acme","reason":"Few.","at":"2026-05-01T12:00:00Z",'
        body += '"model_count":0,"added":0,"removed":1,"repriced":0}'
        connection.execute("INSERT INTO quarantine VALUES ('acme', ?)", (body,))
        connection.execute("INSERT INTO bucket VALUES ('acme', 3600000000, ?, 4, 1, 3, 60.0)", (now,))
        connection.execute("INSERT INTO incident VALUES ('i', 'acme', ?, NULL, 'timeout', 'No answer.')", (now,))
        change = '{"seq":1,"at":"2026-05-01T12:00:00Z","provider_id":null,"kind":"RESYNC","reason":"Read anew."}'
        connection.execute("INSERT INTO change VALUES (1, ?, 'RESYNC', NULL, ?)", (now, change))
        connection.execute(
            "INSERT INTO audit (at, actor, action, outcome, count) VALUES (?, 'ops', 'a', 'ok', 1)", (now,)
        )
        connection.execute("PRAGMA user_version = 1")
    store = await SqliteSeat(path).open()
    stored = await store.load()
    assert store.notice is None
    assert (stored.epoch, stored.revision, stored.seq, stored.updated_at) == ("0123456789abcdef", 7, 1, NOW)
    assert list(stored.listings[PROVIDER].models) == ["acme/a"]
    assert stored.held[PROVIDER].quarantine == Quarantine(
        id="q", provider_id=PROVIDER, reason="Few.", at=NOW, model_count=0, added=0, removed=1, repriced=0
    )
    assert not stored.held[PROVIDER].discarded
    assert (stored.standings, stored.told) == ({}, {})
    last = (await store.health([PROVIDER], UptimeWindow.DAY, NOW))[PROVIDER][-1]
    assert (last.checks, last.failures, last.latency_ms, last.seconds, last.uptime) == (4, 1, 20.0, 0.0, 0.75)
    assert len((await store.incidents([PROVIDER], 10))[PROVIDER]) == 1
    assert [c.seq for c in (await store.read(0, 10)).changes] == [1]
    assert len(await store.audit_page(None, 10)) == 1
    await store.commit(revision(8, [added(2)]))
    await store.close()
