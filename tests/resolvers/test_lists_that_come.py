"""What readers see of a provider's first list and of later ones."""

from pathlib import Path

import orjson
import pytest

from catalogue import identity
from catalogue.facts import ModelFacts
from providers._kit.registry import adapters
from tests.resolvers.running import Running, running, upstream
from tests.resolvers.world import facts
from upstream.parse import parse_list

OLD, NEW = facts("alpha/old"), facts("alpha/new")
SEEN = "{ models { id firstSeenAt } }"


async def seen(it: Running) -> dict[str, str | None]:
    return {model["id"]: model["firstSeenAt"] for model in (await it.ask(SEEN))["models"]}


async def test_a_model_of_a_providers_first_list_has_no_date_and_a_later_one_that_of_its_list(tmp_path: Path) -> None:
    async with running(tmp_path) as it:
        await it.lists("alpha", [OLD])
        assert await seen(it) == {OLD.id: None}
        await it.lists("alpha", [OLD, NEW])
        came = it.clock.now().isoformat()
        await it.lists("alpha", [OLD, NEW.model_copy(update={"name": "Renamed"})])
        assert await seen(it) == {OLD.id: None, NEW.id: came}
        clock = it.clock
    async with running(tmp_path, clock=clock) as it:
        assert await seen(it) == {OLD.id: None, NEW.id: came}


def rows(provider_id: str, own_id: str) -> list[ModelFacts]:
    """A list as it is read off the wire."""
    body = orjson.dumps({"data": [{"id": own_id, "name": own_id, "canonical_slug": own_id}]})
    return list(parse_list(adapters()["openrouter"], provider_id, provider_id, [body]).models)


async def test_a_better_rule_for_identity_over_the_same_lists_raises_no_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = {"alpha": rows("alpha", "lab/opus-large"), "beta": rows("beta", "lab/opus_xl")}
    upstreams = tuple(map(upstream, lists))
    offers = '{ model(id: "alpha/lab/opus-large") { offers { id } } }'
    async with running(tmp_path, *upstreams) as it:
        for provider_id, models in lists.items():
            await it.lists(provider_id, models)
        assert (await it.ask(offers))["model"]["offers"] == []
        before, clock = it.snapshot.revision, it.clock
    monkeypatch.setattr(identity, "family_key", lambda *_: "opus")
    async with running(tmp_path, *upstreams, clock=clock) as it:
        for provider_id in lists:
            own_id = lists[provider_id][0].id.partition("/")[2]
            await it.lists(provider_id, rows(provider_id, own_id))
        assert (await it.ask(offers))["model"]["offers"] == [{"id": "beta/lab/opus_xl"}]
        assert (it.snapshot.revision.number, it.snapshot.revision.position.seq) == (before.number, before.position.seq)
