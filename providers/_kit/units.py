"""Converts the numbers and times of providers to USD per token and UTC; implausible values become null."""

import re
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal, InvalidOperation

PER_TOKEN = Decimal(1)
PER_MILLION = Decimal(10**6)
TEN_THOUSANDTHS_PER_MILLION = Decimal(10**10)
"""For integers in units of 1/10,000 USD per million tokens."""

_EXACT = Context(prec=64)
_SURE_DIGITS, _LONGEST_PRICE = 15, 12
_SURE = Context(prec=_SURE_DIGITS)
_LONGEST_NUMBER = 40
_LARGEST_COUNT = 10**9
_LARGEST_EXPONENT = 40
"""No count or price is larger, and an integer with a million digits takes minutes to build."""
_ABSURD = Decimal(10**9)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CUTOFF = re.compile(r"(20\d{2})(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_FIRST_YEAR, _SENTINEL_YEAR = 2000, 2090
_MILLIS_FROM = 10**11
_CONSTANTS = frozenset({1677610602, 1755815280})
"""Creation times that gateways (LiteLLM, Vercel) give to every model: not release dates."""


def usd(value: object, per: Decimal = PER_TOKEN) -> Decimal | None:
    """Convert a price for `per` tokens to USD per token; null if it is negative ("dynamic") or absurd.

    Strings keep every digit; JSON numbers lose the rounding noise of floats.
    """
    amount = number(value.strip().removeprefix("$")) if isinstance(value, str) else _without_noise(number(value))
    if amount is None or amount < 0 or amount >= _ABSURD * per:
        return None
    exact = _EXACT.normalize(_EXACT.divide(abs(amount), per))
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact


def _without_noise(amount: Decimal | None) -> Decimal | None:
    """Remove the rounding noise of float arithmetic: 2.6 from 2.5999999999999996.

    A float has 15 reliable digits. If rounding to 15 gives a short price, that price was meant; others are kept.
    """
    if amount is None or len(amount.as_tuple().digits) <= _SURE_DIGITS:
        return amount
    rounded = _SURE.normalize(amount)
    return rounded if len(rounded.as_tuple().digits) <= _LONGEST_PRICE else amount


def number(value: object) -> Decimal | None:
    """Convert a number or a numeric string; null if it is not finite or implausibly large or small."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    text = str(value)
    if len(text) > _LONGEST_NUMBER:
        return None
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return None
    return exact if exact.is_finite() and abs(exact.adjusted()) <= _LARGEST_EXPONENT else None


def count(value: object) -> int | None:
    """Convert a positive integer; 0 and implausibly large numbers become null."""
    found = number(value)
    return int(found) if found is not None and 0 < found <= _LARGEST_COUNT and found % 1 == 0 else None


def moment(value: object, *, day_ends: bool = False) -> datetime | None:
    """Convert Unix seconds, Unix milliseconds or ISO 8601 to a time in UTC.

    A date without a time is the start of that UTC day, or its last second with `day_ends`. Known constants, years
    before 2000 and years from 2090 are null.
    """
    stamp = number(value)
    if stamp in _CONSTANTS:
        return None
    try:
        if stamp is None:
            found = _of_text(value, day_ends=day_ends)
        else:
            found = datetime.fromtimestamp(float(stamp / 1000 if stamp >= _MILLIS_FROM else stamp), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found is not None and _FIRST_YEAR <= found.year < _SENTINEL_YEAR else None


def _of_text(value: object, *, day_ends: bool) -> datetime | None:
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _DAY.fullmatch(text):
        return datetime.combine(date.fromisoformat(text), time(23, 59, 59) if day_ends else time(), UTC)
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def cutoff(value: object) -> str | None:
    """Convert a knowledge cutoff to YYYY, YYYY-MM or YYYY-MM-DD."""
    text = value.strip() if isinstance(value, str) else ""
    found = _CUTOFF.match(text)
    return found.group() if found and (found.end() == len(text) or text[found.end()] in "T ") else None


def clock(value: object) -> str | None:
    """Convert a time of day, a number such as 930 or a string such as 09:30, to HH:MM."""
    if isinstance(value, str):
        value = value.replace(":", "", 1)
    hhmm = number(value)
    if hhmm is None or hhmm != hhmm.to_integral_value():
        return None
    hours, minutes = divmod(int(hhmm), 100)
    if (hours, minutes) == (24, 0):
        return "00:00"
    return f"{hours:02}:{minutes:02}" if 0 <= hours < 24 and 0 <= minutes < 60 else None  # noqa: PLR2004  a clock
