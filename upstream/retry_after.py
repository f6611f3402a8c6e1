"""Reads how long a provider asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

_LONGEST = 86_400.0
"""Seconds; longer waits are capped, so that a provider's wrong clock cannot stop all calls to it."""


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds to wait, between 0 and a day; null if the headers do not say. `now` is in Unix seconds."""
    millis = _number(headers.get("retry-after-ms"))
    value = headers.get("Retry-After")
    seconds = _number(value) if millis is None else millis / 1000
    if seconds is None and value:
        seconds = _until(value, now)
    return None if seconds is None else min(max(seconds, 0.0), _LONGEST)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _until(text: str, now: float) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None
