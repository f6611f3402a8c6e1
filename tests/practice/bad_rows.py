"""Spoilt lists: functions that turn good rows into the rows of a provider gone wrong."""

from decimal import Decimal
from typing import Any

from tests.practice.rows import Row

PRICE_FACTOR = 1_000_000


def garbage(rows: list[Row]) -> list[Any]:
    nameless = [{key: value for key, value in row.items() if key != "id"} for row in rows[:1]]
    return [None, 7, "row", [], {}, *nameless, {"id": None}, {"id": 7}, {"id": ""}, *rows]


def wrong_fields(rows: list[Row]) -> list[Any]:
    kept = {"id", "object"}
    return [{name: value if name in kept else _other_type(value) for name, value in row.items()} for row in rows]


def _other_type(value: Any) -> Any:
    if isinstance(value, dict | list):
        return "many"
    return [value] if isinstance(value, str) else {"value": value}


def inflated(rows: list[Row]) -> list[Any]:
    return [_inflate(row, priced=False) for row in rows]


def _inflate(value: Any, *, priced: bool) -> Any:
    match value:
        case dict():
            return {
                name: _inflate(part, priced=name == "pricing" or name.endswith("_price") or (priced and _money(name)))
                for name, part in value.items()
            }
        case list():
            return [_inflate(part, priced=priced) for part in value]
        case str() if priced and not value.startswith("-"):
            return f"{Decimal(value) * PRICE_FACTOR:f}"
        case int() | float() if priced:
            return float(Decimal(str(value)) * PRICE_FACTOR)
        case _:
            return value


def _money(name: str) -> bool:
    return name not in {"prompt_tokens_threshold", "min_prompt_tokens", "utc_start", "utc_end", "discount"}


def empty(_: list[Row]) -> list[Any]:
    return []


def shrunk(rows: list[Row]) -> list[Any]:
    return rows[: len(rows) // 2]


def duplicated(rows: list[Row]) -> list[Any]:
    return [*rows, *rows]
