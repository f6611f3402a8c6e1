"""The status table, row by row; the first rule that matches decides."""

from dataclasses import replace
from datetime import timedelta

import pytest

from catalogue.facts import ModelFacts
from catalogue.health import Health, Problem, Problems
from catalogue.listing import Listing, merged
from catalogue.provider import ProviderState
from catalogue.status import AVAILABLE, RULES, cause
from catalogue.vocabulary import HealthStatus, ModelStatus, ProviderErrorCode, StatusCause
from tests.catalogue.strategies import HOUR, NOW, PROVIDER, baseline, listing, model, state

SECOND = timedelta(seconds=1)
BROKEN = Problem(code=ProviderErrorCode.TIMEOUT, message="No answer within 10 s.", retryable=True, at=NOW)


def health(status: HealthStatus, error: Problem | None = None) -> Health:
    return Health(provider_id=PROVIDER, status=status, problems=Problems(call=error))


def case(
    facts: ModelFacts | None = None,
    *,
    gone: bool = False,
    packaged: bool = False,
    health: Health | None = None,
    as_of: object = NOW,
) -> tuple[ProviderState, ModelFacts]:
    """A provider with one model, well in every respect that is not named."""
    facts = facts or model("a")
    listed = baseline(facts) if packaged else listing(facts)
    if gone:
        listed = merged(listed, [], at=NOW)
    return state(listed, health=health, as_of=as_of), facts  # type: ignore[arg-type]  # a moment or none


GONE = {"gone": True}
DOWN = {"health": health(HealthStatus.DOWN, BROKEN)}
DEGRADED = {"health": health(HealthStatus.DEGRADED, BROKEN)}
ENDED = {"facts": model("a", expires_at=NOW)}
FLAGGED = {"facts": model("a", deprecated=True)}
STALE = {"as_of": NOW - 2 * HOUR - SECOND}
NEVER = {"as_of": None}

TABLE = [
    ({}, ModelStatus.AVAILABLE, None),
    (GONE, ModelStatus.UNAVAILABLE, "Acme no longer lists this model."),
    (DOWN, ModelStatus.UNAVAILABLE, "Acme is down: No answer within 10 s."),
    ({"health": health(HealthStatus.DOWN)}, ModelStatus.UNAVAILABLE, "Acme is down."),
    (ENDED, ModelStatus.DEPRECATED, "Acme ended this model on 2026-05-01."),
    (FLAGGED, ModelStatus.DEPRECATED, "Acme marks this model as deprecated."),
    (
        {"facts": model("a", deprecated=True, expires_at=NOW + 24 * HOUR)},
        ModelStatus.DEPRECATED,
        "Acme will end this model on 2026-05-02.",
    ),
    (DEGRADED, ModelStatus.LIMITED, "Acme is degraded: No answer within 10 s."),
    (STALE, ModelStatus.LIMITED, "The last good list of Acme is from 2026-05-01 09:59 UTC."),
    (NEVER, ModelStatus.LIMITED, "The last good list of Acme is from an unknown time."),
    (
        {"packaged": True, "as_of": NOW + HOUR},
        ModelStatus.LIMITED,
        "Acme has not given its list yet. This is packaged data of 2026-05-01 13:00 UTC.",
    ),
    ({"health": health(HealthStatus.UNKNOWN)}, ModelStatus.AVAILABLE, None),
    ({"facts": model("a", expires_at=NOW + SECOND)}, ModelStatus.AVAILABLE, None),
    ({"as_of": NOW - 2 * HOUR}, ModelStatus.AVAILABLE, None),
]


@pytest.mark.parametrize(("said", "status", "reason"), TABLE)
def test_each_row_gives_its_status_and_reason(said: dict[str, object], status: ModelStatus, reason: str | None) -> None:
    provider, facts = case(**said)  # type: ignore[arg-type]  # each row names arguments of a case
    rule = provider.statuses.of(facts.id)
    assert (rule.status, provider.reason(facts, rule)) == (status, reason)


@pytest.mark.parametrize(
    ("first", "second"),
    [(GONE, DOWN), (DOWN, ENDED), (DOWN, FLAGGED), (ENDED, DEGRADED), (FLAGGED, STALE), (DEGRADED, STALE)],
)
def test_of_two_rules_that_match_the_earlier_one_decides(first: dict[str, object], second: dict[str, object]) -> None:
    both, facts = case(**(second | first))  # type: ignore[arg-type]  # each row names arguments of a case
    alone, same = case(**first)  # type: ignore[arg-type]  # the same
    assert both.statuses.of(facts.id) is alone.statuses.of(same.id)


def test_only_models_of_which_something_special_is_known_have_a_rule_of_their_own() -> None:
    gone = merged(listing(model("a"), model("b"), model("c")), [model("b", deprecated=True), model("c")], at=NOW)
    statuses = state(gone).statuses
    assert {id_: rule.status for id_, rule in statuses.own.items()} == {
        "acme/a": ModelStatus.UNAVAILABLE,
        "acme/b": ModelStatus.DEPRECATED,
    }
    assert statuses.common is statuses.of("acme/c") is AVAILABLE


@pytest.mark.parametrize("said", [{}, DOWN, DEGRADED, STALE])
def test_a_whole_list_is_evaluated_as_each_of_its_models_would_be(said: dict[str, object]) -> None:
    rows = [model("plain"), model("flagged", deprecated=True), model("ended", expires_at=NOW), model("gone")]
    whole = state(merged(listing(*rows), rows[:-1], at=NOW), **said)  # type: ignore[arg-type]  # the same
    for facts in rows:
        alone, _ = case(facts, gone=facts.id == "acme/gone", **said)  # type: ignore[arg-type]  # the same
        assert whole.statuses.of(facts.id) is alone.statuses.of(facts.id)


def test_an_empty_start_and_an_old_baseline_are_limited() -> None:
    assert dict(state(Listing(provider_id=PROVIDER)).statuses.own) == {}
    old = state(baseline(model("a")), at=NOW + 100 * HOUR)
    assert old.statuses.of("acme/a").status is ModelStatus.LIMITED


def test_evaluating_costs_nothing_where_no_status_moves_and_an_end_that_passes_moves_one() -> None:
    ending = state(listing(model("a", expires_at=NOW + HOUR), model("b")), list_ttl=10 * HOUR)
    assert ending.at(NOW + HOUR - SECOND) is ending
    assert ending.at(NOW + HOUR).statuses.of("acme/a").status is ModelStatus.DEPRECATED
    assert ending.at(NOW + HOUR).at(NOW).statuses.of("acme/a") is AVAILABLE, "a clock may be set back"


def test_the_reason_follows_the_last_error_while_the_status_stays() -> None:
    down, facts = case(**DOWN)  # type: ignore[arg-type]  # the same
    later = replace(BROKEN, message="The provider answered with status 503.")
    moved = replace(down, health=health(HealthStatus.DOWN, later))
    assert moved.lasting is down.lasting
    assert moved.reason(facts, DOWN_RULE) == "Acme is down: The provider answered with status 503."


GONE_RULE, DOWN_RULE, ENDED_RULE, DEGRADED_RULE, STALE_RULE, _ = RULES


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (AVAILABLE, GONE_RULE, StatusCause.LIST),
        (GONE_RULE, AVAILABLE, StatusCause.LIST),
        (AVAILABLE, DOWN_RULE, StatusCause.HEALTH),
        (DOWN_RULE, AVAILABLE, StatusCause.HEALTH),
        (DOWN_RULE, ENDED_RULE, StatusCause.HEALTH),
        (STALE_RULE, ENDED_RULE, StatusCause.ENDING),
        (ENDED_RULE, DOWN_RULE, StatusCause.HEALTH),
        (AVAILABLE, STALE_RULE, StatusCause.AGE),
        (STALE_RULE, AVAILABLE, StatusCause.AGE),
        (DEGRADED_RULE, STALE_RULE, StatusCause.HEALTH),
    ],
)
def test_the_cause_is_that_of_the_rule_that_began_or_ceased_to_match(
    before: object, after: object, expected: StatusCause
) -> None:
    assert cause(before, after) is expected  # type: ignore[arg-type]  # rules of the table
