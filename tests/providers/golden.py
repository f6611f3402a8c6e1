"""Golden files: what each fixture of a list reads as, found by file names alone.

A fixture `<adapter id>.json` or `<adapter id>-<word>.json` is a list as the provider serves it; one whose word begins
with `endpoints` is the answer about one model's endpoints.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from providers._kit.registry import adapters
from upstream.parse import parse_endpoints, parse_list

FIXTURES = Path(__file__).with_name("fixtures")
GOLDEN = Path(__file__).with_name("golden")


def fixtures() -> list[Path]:
    return sorted(FIXTURES.glob("*.json"))


def adapter_of(fixture: Path) -> str:
    owners = [i for i in adapters() if fixture.stem == i or fixture.stem.startswith(f"{i}-")]
    if not owners:
        known = ", ".join(adapters())
        message = f"{fixture.name} begins with the id of no adapter; there are {known}."
        raise LookupError(message)
    return max(owners, key=len)


def rendered(fixture: Path) -> str:
    adapter_id = adapter_of(fixture)
    body = fixture.read_bytes()
    if fixture.stem.removeprefix(adapter_id).startswith("-endpoints"):
        said: Any = {
            "endpoints": [
                _plain(e.model_dump(exclude_defaults=True)) for e in parse_endpoints(adapters()[adapter_id], body)
            ]
        }
    else:
        parsed = parse_list(adapters()[adapter_id], adapter_id, adapters()[adapter_id].name, [body])
        models = [_plain(m.model_dump(exclude_defaults=True)) for m in parsed.models]
        said = {"dropped": parsed.dropped, "models": models}
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def generated() -> Iterator[tuple[Path, str]]:
    for fixture in fixtures():
        yield GOLDEN / fixture.name, rendered(fixture)


def write() -> None:
    """Write every golden file anew and remove those whose fixture is gone."""
    wanted = dict(generated())
    for orphan in set(GOLDEN.glob("*.json")) - set(wanted):
        orphan.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case frozenset():
            return sorted(_plain(part) for part in value)
        case tuple():
            return [_plain(part) for part in value]
        case _:
            return _scalar(value)


def _scalar(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat()
        case _:
            return value
