"""Parses response bodies into facts, without I/O."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from catalogue.endpoint import Endpoint
from catalogue.facts import ModelFacts
from providers._kit.adapter import Adapter
from providers._kit.capabilities import reconcile_modalities
from providers._kit.row import Row
from upstream.errors import Malformed

_ENVELOPES = ("data", "models", "items")
_FEW = 3
_LONGEST_NUMBER = 40
MAX_ROWS = 50_000
"""Rows of one list; ten times the size that the memory figures are stated for."""
_MOST_VALUES = 500_000
"""Objects and lists in one body; decoded, each takes ten or more times its size in the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedList:
    """The models of a list."""

    models: tuple[ModelFacts, ...]
    """In the list's order; of rows with the same id, the first."""
    dropped: int
    """Number of rows that could not be read."""


def parse_list(adapter: Adapter, provider_id: str, provider_name: str, bodies: Iterable[bytes]) -> ParsedList:
    """Parse the pages of a list. A row that the adapter cannot read is dropped and counted.

    Raises Malformed if a body is not a list, or if the list has too many rows or no readable one.
    """
    models: dict[str, ModelFacts] = {}
    rows = dropped = 0
    for body in bodies:
        entries = list(_entries(decode(body)))
        rows += len(entries)
        if rows > MAX_ROWS:
            raise Malformed(f"The list of {provider_name} has more than {MAX_ROWS:,} rows.")
        entries.reverse()
        while entries:  # each row is released once read, so that rows and facts are not in memory together
            try:
                facts = adapter.read(Row(entries.pop(), provider_id))
                if facts is not None:
                    models.setdefault(facts.id, reconcile_modalities(facts))
            except Exception:  # noqa: BLE001  an error of the adapter, or a row that is not an object, costs the row
                dropped += 1
    if dropped and not models:
        raise Malformed(f"No row of the list of {provider_name} could be read.")
    return ParsedList(models=_without_fetch_times(tuple(models.values())), dropped=dropped)


def parse_endpoints(adapter: Adapter, body: bytes) -> tuple[Endpoint, ...]:
    """Parse the endpoints of one model. Unreadable endpoints are dropped; of those with the same name, the first stays.

    Raises Malformed if the body is not an object, LookupError if the adapter has no endpoints.
    """
    if adapter.endpoints is None:
        raise LookupError(adapter.id)
    decoded = decode(body)
    if not isinstance(decoded, dict):
        raise Malformed("The provider's response has no endpoints.")
    found: dict[str, Endpoint] = {}
    for row in adapter.endpoints.rows(Row(decoded, adapter.id)):
        try:
            endpoint = adapter.endpoints.read(row)
        except Exception:  # noqa: BLE001, S112  an error of the adapter costs the endpoint, not the others
            continue
        found.setdefault(endpoint.name, endpoint)
    return tuple(found.values())


def refuse_web_page(body: bytes) -> None:
    """Raise Malformed for a web page, such as a login form or a maintenance notice; the start of a body is enough."""
    if body[:100].lstrip().startswith(b"<"):
        raise Malformed("The provider answered with a web page instead of a list.")


def _entries(decoded: object) -> Sequence[Any]:
    if isinstance(decoded, list):
        return decoded
    if decoded is None:
        return ()
    if isinstance(decoded, dict):
        for name in _ENVELOPES:
            if name in decoded and isinstance(decoded[name], list | None):
                return decoded[name] or ()
    raise Malformed("The provider's response has no list of models.")


def decode(body: bytes) -> Any:
    """Decode JSON; raises Malformed if it is not JSON or too large. Numbers that are too long are null."""
    refuse_web_page(body)
    if body.count(b"{") + body.count(b"[") > _MOST_VALUES:
        raise Malformed(f"The provider's response has more than {_MOST_VALUES:,} objects and lists.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("The provider's response is not UTF-8 text.") from None
    try:
        return json.loads(text, parse_float=_decimal, parse_int=_integer, parse_constant=_nothing)
    except (ValueError, RecursionError):
        raise Malformed("The provider's response is not valid JSON.") from None


def _decimal(digits: str) -> Decimal | None:
    try:
        return Decimal(digits) if len(digits) <= _LONGEST_NUMBER else None
    except InvalidOperation:
        return None


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None


def _nothing(_: str) -> None:
    """NaN and infinities count as null."""


def _without_fetch_times(models: tuple[ModelFacts, ...]) -> tuple[ModelFacts, ...]:
    """Drop a release time that all models share: some servers send the time of the request."""
    if len(models) < _FEW or models[0].released_at is None or len({m.released_at for m in models}) > 1:
        return models
    return tuple(model.model_copy(update={"released_at": None}) for model in models)
