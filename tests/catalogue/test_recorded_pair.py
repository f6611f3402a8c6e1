"""Two recorded days of OpenRouter: exactly the changes of a comparison by hand, which never sees our facts."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from catalogue.change import Change, DetailsChanged, ExpiryAnnounced, ModelAdded, ModelChange, PriceChanged
from catalogue.diff import tracked
from catalogue.listing import Listing, merged
from providers._kit.registry import adapters
from tests.catalogue.replay import apply
from tests.catalogue.strategies import changes, state
from upstream.parse import parse_list

FOLDER = Path(__file__).parents[2] / "../shared/payloads/openrouter"
BEFORE, AFTER = FOLDER / "2026-04-30.json", FOLDER / "2026-05-01.json"
FIRST, SECOND = datetime(2026, 4, 30, 12, tzinfo=UTC), datetime(2026, 5, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not (BEFORE.exists() and AFTER.exists()), reason="the recorded lists are not here")

Raw = dict[str, Any]
Told = tuple[str, str, object]
"""The kind of a change, the model's own id, and what changed."""


@cache
def raw(path: Path) -> dict[str, Raw]:
    return {row["id"]: row for row in json.loads(path.read_text())["data"]}


@cache
def read(path: Path, at: datetime) -> Listing:
    rows = parse_list(adapters()["openrouter"], "openrouter", "OpenRouter", [path.read_bytes()]).models
    return merged(Listing(provider_id="openrouter"), rows, at=at)


@cache
def found() -> list[Change]:
    before = read(BEFORE, FIRST)
    after = merged(before, read(AFTER, SECOND).models.values(), at=SECOND)
    return changes(state(before, at=FIRST, as_of=FIRST), state(after, at=SECOND, as_of=SECOND), at=SECOND)


def own_id(change: Change) -> str:
    assert isinstance(change, ModelChange)
    return change.model.facts.id.removeprefix("openrouter/")


def told(change: Change) -> Told:
    """A change in the words of the comparison by hand."""
    what: object = None
    if isinstance(change, PriceChanged):
        assert change.before
        assert change.after
        what = ((change.before.input, change.before.output), (change.after.input, change.after.output))
    elif isinstance(change, DetailsChanged):
        what = frozenset(change.fields)
    elif isinstance(change, ExpiryAnnounced):
        what = change.expires_at.date().isoformat()
    return change.kind, own_id(change), what


def by_hand(old: dict[str, Raw], new: dict[str, Raw]) -> set[Told]:
    """What a person who lays the two bodies side by side would write down."""
    notes: set[Told] = {("MODEL_ADDED", id_, None) for id_ in new.keys() - old.keys()}
    notes |= {("MODEL_REMOVED", id_, None) for id_ in old.keys() - new.keys()}
    for id_ in old.keys() & new.keys():
        a, b = old[id_], new[id_]
        if a["pricing"] != b["pricing"]:
            notes.add(("PRICE_CHANGED", id_, (amounts(a), amounts(b))))
        if a.get("expiration_date") != b.get("expiration_date"):
            notes.add(("EXPIRY_ANNOUNCED", id_, b["expiration_date"]))
        if details := details_by_hand(a, b):
            notes.add(("DETAILS_CHANGED", id_, details))
    return notes


def amounts(row: Raw) -> tuple[Decimal, Decimal]:
    return Decimal(row["pricing"]["prompt"]), Decimal(row["pricing"]["completion"])


def details_by_hand(a: Raw, b: Raw) -> frozenset[str]:
    fields = set()
    if a["context_length"] != b["context_length"]:
        fields.add("context_max")
    if a["top_provider"]["max_completion_tokens"] != b["top_provider"]["max_completion_tokens"]:
        fields.add("output_max")
    if a["hugging_face_id"] != b["hugging_face_id"]:
        fields.add("open_weights")
        if plain_name(a["hugging_face_id"] or a["id"]) != plain_name(b["hugging_face_id"] or b["id"]):
            fields.add("family")
    return frozenset(fields)


def plain_name(slug: str) -> str:
    return slug.rpartition("/")[2].lower()


def test_the_changes_are_exactly_those_of_the_comparison_by_hand() -> None:
    changes = [told(change) for change in found()]
    assert len(changes) == len(set(changes))
    assert set(changes) == by_hand(raw(BEFORE), raw(AFTER))


def test_three_models_came_five_prices_moved_and_five_ends_were_announced() -> None:
    kinds = [change.kind for change in found()]
    assert kinds.count("MODEL_ADDED") == 3
    assert kinds.count("PRICE_CHANGED") == 5
    assert kinds.count("EXPIRY_ANNOUNCED") == 5
    assert kinds.count("DETAILS_CHANGED") == 6
    assert len(kinds) == 19


def test_a_price_moved_to_the_last_digit() -> None:
    (change,) = (c for c in found() if isinstance(c, PriceChanged) and own_id(c) == "moonshotai/kimi-k2.6")
    assert change.before
    assert change.after
    assert (change.before.input, change.after.input) == (Decimal("0.0000007448"), Decimal("0.00000074"))
    assert (change.before.output, change.after.output) == (Decimal("0.000004655"), Decimal("0.00000349"))


def test_the_changes_lead_from_the_first_day_to_the_second() -> None:
    assert tracked(apply(found(), read(BEFORE, FIRST).models)) == tracked(read(AFTER, SECOND).models)


def test_the_added_models_are_the_three_new_ones() -> None:
    added = {own_id(c) for c in found() if isinstance(c, ModelAdded)}
    assert added == {"ibm-granite/granite-4.1-8b", "openrouter/owl-alpha", "x-ai/grok-4.3"}


def test_the_same_day_read_twice_changes_nothing() -> None:
    before = read(BEFORE, FIRST)
    again = merged(before, read(BEFORE, SECOND).models.values(), at=FIRST)
    assert changes(state(before, at=FIRST), state(again, at=FIRST), at=FIRST) == []
