"""Finding models by criteria."""

from datetime import timedelta

import pytest

from catalogue.vocabulary import Capability, DataSource, HealthStatus
from tests.resolvers.asking import ask, context, ids, refusal
from tests.resolvers.fakes import Ports
from tests.resolvers.world import ALPHA, BETA, MINI, NOW, OPUS, facts, snapshot, state

MINI_ID, OPUS_ID, ZETA_ID, BETA_ID = "alpha/lab/mini", "alpha/lab/opus", "alpha/zeta", "beta/opus"


async def test_models_come_by_folded_name_then_id() -> None:
    assert await ids("") == [MINI_ID, OPUS_ID, BETA_ID, ZETA_ID]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        pytest.param('(provider: "beta")', [BETA_ID], id="a list argument takes a single value"),
        pytest.param('(provider: ["beta", "alpha"])', [MINI_ID, OPUS_ID, BETA_ID, ZETA_ID], id="any provider"),
        pytest.param("(provider: [])", [MINI_ID, OPUS_ID, BETA_ID, ZETA_ID], id="an empty list is no filter"),
        pytest.param("(provider: null)", [MINI_ID, OPUS_ID, BETA_ID, ZETA_ID], id="null is no filter"),
        pytest.param("(capability: [CHAT, TOOLS])", [OPUS_ID], id="all capabilities"),
        pytest.param("(capability: EMBEDDING)", [], id="an unknown capability does not match"),
        pytest.param("(status: [LIMITED, DEPRECATED])", [BETA_ID], id="any status"),
        pytest.param('(search: "  OPUS ")', [OPUS_ID, BETA_ID], id="search ignores case and spacing"),
        pytest.param('(search: "opus lab")', [OPUS_ID], id="search wants every word"),
        pytest.param('(search: "")', [MINI_ID, OPUS_ID, BETA_ID, ZETA_ID], id="an empty search is no filter"),
        pytest.param("(filter: {premium: true})", [OPUS_ID, BETA_ID], id="premium"),
        pytest.param("(filter: {free: true})", [MINI_ID], id="free leaves the unknown price out"),
        pytest.param("(filter: {free: false})", [OPUS_ID, BETA_ID], id="not free leaves it out too"),
        pytest.param("(filter: {vision: false})", [MINI_ID], id="known to lack vision"),
        pytest.param("(filter: {minContext: 100000})", [OPUS_ID, BETA_ID], id="context at least"),
        pytest.param("(filter: {minOutput: 1})", [OPUS_ID], id="output at least"),
        pytest.param("(filter: {maxInputPrice: 3.1})", [MINI_ID, OPUS_ID], id="price bounds are exact and inclusive"),
        pytest.param("(filter: {maxInputPrice: 3.0999})", [MINI_ID], id="a price above the bound"),
        pytest.param("(filter: {maxInputPrice: 0.0031, pricePer: THOUSAND})", [MINI_ID, OPUS_ID], id="another unit"),
        pytest.param("(filter: {maxOutputPrice: 1000})", [MINI_ID, OPUS_ID], id="an unknown price never passes"),
        pytest.param("(filter: {inputModality: [TEXT, IMAGE]})", [OPUS_ID], id="all input modalities"),
        pytest.param("(filter: {outputModality: [TEXT]})", [OPUS_ID], id="all output modalities"),
        pytest.param('(filter: {releasedAfter: "2025-06-01"})', [OPUS_ID], id="a date alone is taken as UTC"),
        pytest.param('(filter: {releasedAfter: "2026-01-01T00:00:00Z"})', [], id="after means later than"),
        pytest.param('(filter: {expiresBefore: "2026-07-01T00:00:00+02:00"})', [MINI_ID], id="an announced end"),
        pytest.param("(filter: {source: [LAST_GOOD]})", [BETA_ID], id="source"),
        pytest.param("(limit: 2, offset: 1)", [OPUS_ID, BETA_ID], id="a slice"),
        pytest.param("(limit: 0)", [], id="none"),
        pytest.param("(offset: 9)", [], id="past the end"),
    ],
)
async def test_arguments_choose(arguments: str, found: list[str]) -> None:
    assert await ids(arguments) == found


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("{field: NAME, direction: DESC}", [ZETA_ID, OPUS_ID, BETA_ID, MINI_ID]),
        ("{field: INPUT_PRICE}", [MINI_ID, OPUS_ID, BETA_ID, ZETA_ID]),
        ("{field: INPUT_PRICE, direction: DESC}", [BETA_ID, OPUS_ID, MINI_ID, ZETA_ID]),
        ("{field: OUTPUT_PRICE, direction: DESC}", [OPUS_ID, MINI_ID, ZETA_ID, BETA_ID]),
        ("{field: CONTEXT}", [MINI_ID, BETA_ID, OPUS_ID, ZETA_ID]),
        ("{field: RELEASED, direction: DESC}", [OPUS_ID, MINI_ID, ZETA_ID, BETA_ID]),
        ("{field: FIRST_SEEN}", [BETA_ID, MINI_ID, OPUS_ID, ZETA_ID]),
        ("{field: PROVIDER, direction: DESC}", [BETA_ID, MINI_ID, OPUS_ID, ZETA_ID]),
        ("{field: RELEVANCE}", [MINI_ID, OPUS_ID, BETA_ID, ZETA_ID]),
    ],
)
async def test_missing_values_come_last_and_ids_break_ties(order: str, found: list[str]) -> None:
    assert await ids(f"(orderBy: {order})") == found


async def test_descending_names_put_the_longer_of_two_that_begin_alike_first() -> None:
    world = snapshot(state("a", [facts("a/x", name="Ab"), facts("a/y", name="Abc"), facts("a/z", name="B")]))
    assert await ids("(orderBy: {field: NAME, direction: DESC})", context(Ports(world))) == ["a/z", "a/y", "a/x"]


async def test_relevance_puts_exact_before_prefix_before_word_before_inside() -> None:
    names = {"a/1": "megasonic", "a/2": "The Sonic", "a/3": "sonic pro", "a/4": "Sonic"}
    world = snapshot(state("a", [facts(id_, name=name) for id_, name in names.items()]))
    found = await ids('(search: "sonic", orderBy: {field: RELEVANCE})', context(Ports(world)))
    assert found == ["a/4", "a/3", "a/2", "a/1"]


async def test_a_model_that_is_gone_stays_visible_as_unavailable() -> None:
    world = snapshot(state("alpha", [MINI, OPUS], listing={"gone": frozenset({MINI_ID})}))
    within = context(Ports(world))
    assert await ids("(status: UNAVAILABLE)", within) == [MINI_ID]
    assert (await ask("{ catalogue { totalModels } }", within))["catalogue"]["totalModels"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        ('(provider: "gamma")', "UNKNOWN_PROVIDER", "alpha, beta"),
        ("(limit: -1)", "BAD_USER_INPUT", "'limit'"),
        ("(offset: -1)", "BAD_USER_INPUT", "'offset'"),
        (f'(search: "{"x" * 201}")', "BAD_USER_INPUT", "200"),
        (f'(search: "{"x " * 11}")', "BAD_USER_INPUT", "10 words"),
        (f'(search: "{"x " * 11}", orderBy: {{field: RELEVANCE}})', "BAD_USER_INPUT", "10 words"),
        ("(filter: {maxInputPrice: 1e999})", "BAD_USER_INPUT", "finite"),
        ("(filter: {maxInputPrice: -0.5})", "BAD_USER_INPUT", "'maxInputPrice'"),
        ("(filter: {maxOutputPrice: -1})", "BAD_USER_INPUT", "'maxOutputPrice'"),
        ("(filter: {minContext: -1})", "BAD_USER_INPUT", "'minContext'"),
        ("(filter: {minOutput: -1})", "BAD_USER_INPUT", "'minOutput'"),
    ],
)
async def test_wrong_input_gets_one_clear_error(arguments: str, code: str, word: str) -> None:
    found, message = await refusal(f"{{ models{arguments} {{ id }} }}")
    assert found == code
    assert word in message


async def test_a_model_says_what_it_knows_and_what_it_does_not() -> None:
    query = """{ model(id: "alpha/lab/opus") { name capabilities unknownCapabilities inputModalities premium vision
      contextMax outputMax apiVersion status errorMessage providerHealth lab rateLimit { requestsPerMinute
      tokensPerMinute } releasedAt expiresAt firstSeenAt lastChecked source sourceAsOf } }"""
    known = {"CHAT", "VISION", "TOOLS", "EMBEDDING"}
    assert (await ask(query))["model"] == {
        "name": "Opus",
        "capabilities": ["CHAT", "VISION", "TOOLS"],
        "unknownCapabilities": [c.name for c in Capability if c.name not in known],
        "inputModalities": ["TEXT", "IMAGE"],
        "premium": True,
        "vision": True,
        "contextMax": 200_000,
        "outputMax": 64_000,
        "apiVersion": None,
        "status": "AVAILABLE",
        "errorMessage": None,
        "providerHealth": "HEALTHY",
        "lab": "Lab",
        "rateLimit": {"requestsPerMinute": 60, "tokensPerMinute": None},
        "releasedAt": "2026-01-01T00:00:00+00:00",
        "expiresAt": None,
        "firstSeenAt": None,
        "lastChecked": "2026-05-01T12:00:00+00:00",
        "source": DataSource.LIVE.name,
        "sourceAsOf": "2026-05-01T11:59:00+00:00",
    }


async def test_an_unknown_id_is_null() -> None:
    assert await ask('{ model(id: "alpha/none") { id } provider(id: "none") { id } }') == {
        "model": None,
        "provider": None,
    }


async def test_prices_are_right_to_the_last_digit_in_every_unit() -> None:
    query = """{ model(id: "alpha/lab/opus") { pricing { token: input thousand: input(per: THOUSAND)
      million: input(per: MILLION) cacheRead(per: MILLION) cacheWrite request image currency
      tiers { abovePromptTokens input(per: MILLION) output utcDays other { kind unit amount } }
      other { kind unit amount } } } }"""
    assert (await ask(query))["model"]["pricing"] == {
        "token": 0.0000031,
        "thousand": 0.0031,
        "million": 3.1,
        "cacheRead": 0.3,
        "cacheWrite": None,
        "request": 0.01,
        "image": None,
        "currency": "USD",
        "tiers": [
            {
                "abovePromptTokens": 200_000,
                "input": 6.2,
                "output": None,
                "utcDays": [],
                "other": [{"kind": "audio", "unit": "token", "amount": 0.0000025}],
            }
        ],
        "other": [{"kind": "web_search", "unit": "search", "amount": 0.005}],
    }


async def test_free_is_zero_and_unpublished_is_null() -> None:
    free = await ask('{ model(id: "alpha/lab/mini") { pricing { input } } }')
    unpublished = await ask('{ model(id: "alpha/zeta") { pricing { input } premium vision } }')
    assert free["model"]["pricing"] == {"input": 0.0}
    assert unpublished["model"] == {"pricing": None, "premium": None, "vision": None}


async def test_offers_are_the_same_model_elsewhere_without_this_one() -> None:
    data = await ask(
        '{ opus: model(id: "alpha/lab/opus") { offers { id } } zeta: model(id: "alpha/zeta") { offers { id } } }'
    )
    assert data == {"opus": {"offers": [{"id": BETA_ID}]}, "zeta": {"offers": []}}


async def test_a_replacement_is_the_named_successor_where_it_is_known() -> None:
    lost = facts("alpha/lost", successor="nowhere")
    itself = facts("alpha/self", successor="self")
    world = snapshot(state("alpha", [MINI, OPUS, lost, itself]))
    data = await ask("{ models { id replacement { id } } }", context(Ports(world)))
    named = {m["id"]: m["replacement"] for m in data["models"]}
    assert named == {MINI_ID: {"id": OPUS_ID}, OPUS_ID: None, "alpha/lost": None, "alpha/self": None}


async def test_an_outage_gives_every_model_of_the_provider_a_reason() -> None:
    down = state("alpha", [OPUS], health={"status": HealthStatus.DOWN})
    data = await ask("{ models { status errorMessage } }", context(Ports(snapshot(down))))
    assert data["models"] == [{"status": "UNAVAILABLE", "errorMessage": "Alpha is down."}]


async def test_a_query_reads_one_snapshot_from_beginning_to_end() -> None:
    ports = Ports()
    within = context(ports)
    first = await ask("{ catalogue { revision } }", within)
    ports.reader.snapshot = snapshot(ALPHA, BETA, revision=8)
    assert await ask("{ catalogue { revision } }", within) == first
    assert (await ask("{ catalogue { revision } }", context(ports)))["catalogue"]["revision"] == 8


async def test_a_list_past_two_lifetimes_is_the_last_good_one() -> None:
    old = state("alpha", [OPUS], as_of=NOW - timedelta(days=1))
    data = await ask("{ models { source status } }", context(Ports(snapshot(old))))
    assert data["models"] == [{"source": "LAST_GOOD", "status": "LIMITED"}]
