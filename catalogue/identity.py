"""The key under which the same underlying model is found at other providers: computed from hints, never stored."""

import re

from catalogue.facts import ModelFacts

_SNAPSHOT = re.compile(r"-20\d{6}$")
_DATED = re.compile(r"@(?=20\d{6}$)")
_JOINTS = re.compile(r"[._\s]+")
_DISTINCT_BY_DATE = {"claude-sonnet-3-5"}
"""Names under which a lab published several snapshots that are offered side by side."""


def family(facts: ModelFacts) -> str | None:
    """The family of a model, by the first hint that it has: weights, canonical name, the provider's own id."""
    return family_key(facts.weights, facts.canonical_name, facts.id.partition("/")[2])


def family_key(*candidates: str | None) -> str | None:
    """The key of the first candidate that is present: a weights repository, a canonical name, or a model id.

    It is the last part of the path in lower case, without alias mark, variant (`:free`), region (`@eu`) and a compact
    snapshot date, with dashes for dots and the words before the numbers, each in their order:
    `anthropic/claude-4.5-sonnet:batch` and `claude-sonnet-4-5@eu` share one, `gpt-4.5` and `gpt-5.4` do not.

    The date is kept for names in `_DISTINCT_BY_DATE`. Dates with dashes, revisions (`-0528`) and words (`-preview`,
    `-latest`) are always kept: missing a match is better than a wrong one.
    """
    name_of = next((c for c in candidates if c and c.strip()), "")
    path = _DATED.sub("-", name_of.strip().lower()).partition("@")[0].rstrip("/")
    name = _JOINTS.sub("-", path.rpartition("/")[2].partition(":")[0].lstrip("~"))
    undated = _numbers_last(_SNAPSHOT.sub("", name))
    return (_numbers_last(name) if undated in _DISTINCT_BY_DATE else undated) or None


def _numbers_last(name: str) -> str:
    return "-".join(sorted(name.split("-"), key=lambda part: part[:1].isdigit()))
