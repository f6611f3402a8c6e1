"""The default model, and what former ids stand for."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from catalogue.migration import ModelMigration
from catalogue.vocabulary import MigrationReason
from resolvers.context import Context
from tests.resolvers.asking import ask, context, keyed
from tests.resolvers.fakes import Ports
from tests.resolvers.world import NOW, OPUS, facts, state

OPUS_ID = OPUS.id


def step(old: str, new: str, *, automatic: bool = True) -> ModelMigration:
    return ModelMigration(old_id=old, new_id=new, reason=MigrationReason.MOVED, automatic=automatic)


def within(default_model: str | None = None, migrations: Sequence[ModelMigration] = ()) -> Context:
    ports = Ports()
    ports.services = replace(ports.services, default_model=default_model, migrations=migrations)
    return context(ports)


@pytest.mark.parametrize(
    ("configured", "migrations", "found"),
    [
        pytest.param(None, [], None, id="none is configured"),
        pytest.param(OPUS_ID, [], {"id": OPUS_ID}, id="a known model"),
        pytest.param("alpha/gone", [], None, id="a model that no list has"),
        pytest.param("alpha/old", [step("alpha/old", "alpha/new"), step("alpha/new", OPUS_ID)], {"id": OPUS_ID}),
        pytest.param("alpha/old", [step("alpha/old", OPUS_ID, automatic=False)], None, id="a proposal alone"),
        pytest.param(OPUS_ID, [step(OPUS_ID, "alpha/gone")], None, id="a migration to a model that no list has"),
    ],
)
async def test_the_default_model_is_the_configured_one_after_automatic_migrations(
    configured: str | None, migrations: Sequence[ModelMigration], found: object
) -> None:
    assert (await ask("{ defaultModel { id } }", within(configured, migrations)))["defaultModel"] == found


async def test_the_default_model_may_be_one_that_the_callers_own_list_has() -> None:
    ports = Ports()
    ports.services = replace(ports.services, default_model="alpha/own")
    ports.own_lists.own = {"alpha": state("alpha", [facts("alpha/own")])}
    asker = context(ports, keyed(alpha="k"))
    assert (await ask("{ defaultModel { id } }", asker))["defaultModel"] == {"id": "alpha/own"}
    assert asker.private


async def test_migrations_tell_everything_about_each_step_in_order() -> None:
    detected = ModelMigration(
        old_id="beta/a",
        new_id="beta/b",
        reason=MigrationReason.RENAMED,
        automatic=False,
        detected=True,
        confidence=0.75,
        since=NOW,
    )
    query = "{ migrations { oldId newId reason automatic detected confidence since } }"
    data = await ask(query, within(migrations=[step("alpha/old", OPUS_ID), detected]))
    assert data["migrations"] == [
        {
            "oldId": "alpha/old",
            "newId": OPUS_ID,
            "reason": "MOVED",
            "automatic": True,
            "detected": False,
            "confidence": None,
            "since": None,
        },
        {
            "oldId": "beta/a",
            "newId": "beta/b",
            "reason": "RENAMED",
            "automatic": False,
            "detected": True,
            "confidence": 0.75,
            "since": NOW.isoformat(),
        },
    ]


async def test_without_configured_migrations_there_are_none() -> None:
    assert (await ask("{ migrations { oldId } }"))["migrations"] == []
