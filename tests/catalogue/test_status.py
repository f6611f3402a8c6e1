"""The status table, row by row; the first rule that matches wins."""

from dataclasses import replace
from datetime import timedelta

import pytest

from catalogue.health import Problem, Standing
from catalogue.listing import Listing, merged
from catalogue.status import AVAILABLE, Case, judge
from catalogue.vocabulary import DataSource, HealthStatus, ModelStatus, ProviderErrorCode
from tests.catalogue.strategies import HOUR, NOW, PROVIDER, baseline, listing, model, state

SECOND = timedelta(seconds=1)
BROKEN = Problem(code=ProviderErrorCode.TIMEOUT, message="No answer within 10 s.", retryable=True, at=NOW)


def standing(status: HealthStatus, error: Problem | None = None) -> Standing:
    return Standing(provider_id=PROVIDER, status=status, error=error)


WELL = Case(
    source=DataSource.LIVE,
    facts=model("a"),
    name="Acme",
    gone=False,
    standing=standing(HealthStatus.HEALTHY),
    as_of=NOW,
    list_ttl=HOUR,
    now=NOW,
)
GONE = {"gone": True}
DOWN = {"standing": standing(HealthStatus.DOWN, BROKEN)}
DEGRADED = {"standing": standing(HealthStatus.DEGRADED, BROKEN)}
ENDED = {"facts": model("a", expires_at=NOW)}
FLAGGED = {"facts": model("a", deprecated=True)}
STALE = {"as_of": NOW - 2 * HOUR - SECOND}
NEVER = {"as_of": None}

TABLE = [
    ({}, ModelStatus.AVAILABLE, None),
    (GONE, ModelStatus.UNAVAILABLE, "Acme no longer lists this model."),
    (DOWN, ModelStatus.UNAVAILABLE, "Acme is down: No answer within 10 s."),
    ({"standing": standing(HealthStatus.DOWN)}, ModelStatus.UNAVAILABLE, "Acme is down."),
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
        {"source": DataSource.BASELINE, "as_of": NOW + HOUR},
        ModelStatus.LIMITED,
        "Acme has not given its list yet; this is packaged data of 2026-05-01 13:00 UTC.",
    ),
    ({"standing": standing(HealthStatus.UNKNOWN)}, ModelStatus.AVAILABLE, None),
    ({"facts": model("a", expires_at=NOW + SECOND)}, ModelStatus.AVAILABLE, None),
    ({"as_of": NOW - 2 * HOUR}, ModelStatus.AVAILABLE, None),
]


@pytest.mark.parametrize(("said", "status", "reason"), TABLE)
def test_each_row_gives_its_status_and_reason(said: dict[str, object], status: ModelStatus, reason: str | None) -> None:
    verdict = judge(replace(WELL, **said))  # type: ignore[arg-type]  # each row names fields of a case
    assert (verdict.status, verdict.reason) == (status, reason)


@pytest.mark.parametrize(
    ("first", "second"),
    [(GONE, DOWN), (DOWN, ENDED), (DOWN, FLAGGED), (ENDED, DEGRADED), (FLAGGED, STALE), (DEGRADED, STALE)],
)
def test_of_two_rules_that_match_the_earlier_one_wins(first: dict[str, object], second: dict[str, object]) -> None:
    both = judge(replace(WELL, **(second | first)))  # type: ignore[arg-type]  # each row names fields of a case
    alone = judge(replace(WELL, **first))  # type: ignore[arg-type]  # the same
    assert both == alone


def test_only_models_that_are_not_available_have_a_verdict_of_their_own() -> None:
    gone = merged(listing(model("a"), model("b"), model("c")), [model("b", deprecated=True), model("c")], at=NOW)
    judged = state(gone)
    assert {id_: v.status for id_, v in judged.verdicts.items()} == {
        "acme/a": ModelStatus.UNAVAILABLE,
        "acme/b": ModelStatus.DEPRECATED,
    }
    assert judged.verdict("acme/c") is AVAILABLE


@pytest.mark.parametrize("said", [{}, DOWN, DEGRADED, STALE])
def test_a_whole_list_is_judged_as_each_of_its_models_would_be(said: dict[str, object]) -> None:
    case = replace(WELL, **said)  # type: ignore[arg-type]  # each row names fields of a case
    rows = [model("plain"), model("flagged", deprecated=True), model("ended", expires_at=NOW), model("gone")]
    held = replace(merged(listing(*rows), rows[:-1], at=NOW), as_of=case.as_of)
    judged = state(held, standing=case.standing)
    for facts in rows:
        assert judged.verdict(facts.id) == judge(replace(case, facts=facts, gone=facts.id in held.gone))


def test_an_empty_start_and_an_old_baseline_are_limited() -> None:
    assert state(Listing(provider_id=PROVIDER)).verdicts == {}
    old = state(baseline(model("a")), at=NOW + 100 * HOUR)
    assert old.verdict("acme/a").status is ModelStatus.LIMITED
