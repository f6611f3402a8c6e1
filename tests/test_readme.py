"""The README tells the truth: its queries are valid, its answer is what a first start gives, its table is fresh."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from graphql import parse, validate

from catalogue.ports.revisions import Stored
from catalogue.position import Timeline
from catalogue.scope import Scope
from catalogue.snapshot import Snapshot, snapshot_of
from polling.cold_start import cold_state, published_state
from resolvers.context import Context
from resolvers.schema import build_schema
from server.cli import app
from server.config.settings import Settings
from server.config.upstreams import upstreams
from tests import readme_table
from tests.resolvers.fakes import Ports

TEXT = readme_table.README.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```graphql\n(.*?)```", TEXT, re.DOTALL)
CURLED = [json.loads(body)["query"] for body in re.findall(r"-d '(\{.*?\})'", TEXT)]
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def first_start() -> Snapshot:
    """The catalogue of a first start without a network."""
    nothing = Stored(timeline=Timeline(()), revision=0, seq=0, updated_at=None, listings={})
    ttl = timedelta(seconds=600)
    known = [(u, published_state(u, nothing, list_ttl=ttl, now=NOW)) for u in upstreams(Settings(), {})]
    return snapshot_of([cold_state(u, nothing, state, now=NOW) for u, state in known], updated_at=None)


@pytest.mark.parametrize("query", BLOCKS + CURLED)
def test_every_query_is_valid(query: str) -> None:
    assert validate(build_schema()._schema, parse(query)) == []


async def test_the_first_query_has_the_answer_that_is_shown() -> None:
    shown = re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert shown is not None
    result = await build_schema().execute(BLOCKS[0], context_value=Context(Scope(), Ports(first_start()).services))
    assert {"data": result.data} == json.loads(shown[1])


def test_every_command_exists() -> None:
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert set(re.findall(r"bin/catalogue (\w+)", TEXT)) <= known


def test_the_table_of_providers_is_fresh() -> None:
    assert readme_table.expected() == TEXT, "run `make generate`"


def test_it_stays_short_enough_to_be_read() -> None:
    assert len(TEXT.splitlines()) < 200
