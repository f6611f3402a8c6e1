"""From the numbers and times that providers write to USD per token and UTC; what cannot be meant becomes null."""

import re
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal, InvalidOperation

PER_TOKEN = Decimal(1)
PER_MILLION = Decimal(10**6)
TEN_THOUSANDTHS_PER_MILLION = Decimal(10**10)
"""Integers of which 10,000 make one USD per million tokens."""

_EXACT = Context(prec=64)
_SURE_DIGITS, _LONGEST_PRICE = 15, 12
_SURE = Context(prec=_SURE_DIGITS)
_LONGEST_NUMBER = 40
_LARGEST_EXPONENT = 40
"""Nothing is counted or billed beyond it, and a whole number of a million digits takes minutes to make."""
_ABSURD = Decimal(10**9)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CUTOFF = re.compile(r"(20\d{2})(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_FIRST_YEAR, _SENTINEL_YEAR = 2000, 2090
_MILLIS_FROM = 10**11
_CONSTANTS = frozenset({1677610602, 1755815280})
"""Creation times that gateways give every model alike (LiteLLM, Vercel): no release dates."""


def usd(value: object, per: Decimal = PER_TOKEN) -> Decimal | None:
    """USD per token from a price for `per` tokens; null for a negative ("dynamic") or absurd one.

    Every digit of a text is kept, and of a JSON number all that a provider can have meant.
    """
    amount = number(value.strip().removeprefix("$")) if isinstance(value, str) else _meant(number(value))
    if amount is None or amount < 0 or amount >= _ABSURD * per:
        return None
    exact = _EXACT.normalize(_EXACT.divide(abs(amount), per))
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact


def _meant(amount: Decimal | None) -> Decimal | None:
    """A JSON number without the noise of the arithmetic that made it: 2.6 from 2.5999999999999996.

    A float carries 15 digits surely and writes 17 at most, so a longer one that comes to a short price in 15 digits is
    that price with noise; one that stays long, such as a twelfth, is kept as written.
    """
    if amount is None or len(amount.as_tuple().digits) <= _SURE_DIGITS:
        return amount
    rounded = _SURE.normalize(amount)
    return rounded if len(rounded.as_tuple().digits) <= _LONGEST_PRICE else amount


def number(value: object) -> Decimal | None:
    """A number from a number or its text; null where it is endless, or so large or small that nobody can mean it."""
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


def moment(value: object, *, day_ends: bool = False) -> datetime | None:
    """A UTC time from Unix seconds or milliseconds, or from ISO 8601.

    A date without a time is the start of that UTC day, or its last second with `day_ends`. Constants and sentinels,
    such as 0, years before 2000 and from 2090 on, are null.
    """
    stamp = number(value)
    try:
        found = _of_text(value, day_ends=day_ends) if stamp is None else _of_stamp(stamp)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found is not None and _FIRST_YEAR <= found.year < _SENTINEL_YEAR else None


def _of_stamp(stamp: Decimal) -> datetime | None:
    if stamp in _CONSTANTS:
        return None
    return datetime.fromtimestamp(float(stamp / 1000 if stamp >= _MILLIS_FROM else stamp), UTC)


def _of_text(value: object, *, day_ends: bool) -> datetime | None:
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _DAY.fullmatch(text):
        return datetime.combine(date.fromisoformat(text), time(23, 59, 59) if day_ends else time(), UTC)
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def cutoff(value: object) -> str | None:
    """A knowledge cutoff as YYYY, YYYY-MM or YYYY-MM-DD."""
    text = value.strip() if isinstance(value, str) else ""
    found = _CUTOFF.match(text)
    return found.group() if found and (found.end() == len(text) or text[found.end()] in "T ") else None


def clock(value: object) -> str | None:
    """A time of day as HH:MM, from a number such as 930 or a text such as 09:30."""
    if isinstance(value, str):
        value = value.replace(":", "", 1)
    hhmm = number(value)
    if hhmm is None or hhmm != hhmm.to_integral_value():
        return None
    hours, minutes = divmod(int(hhmm), 100)
    if (hours, minutes) == (24, 0):
        return "00:00"
    return f"{hours:02}:{minutes:02}" if 0 <= hours < 24 and 0 <= minutes < 60 else None  # noqa: PLR2004  a clock
