"""Numbers and times in every unit that providers use."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers._kit.units import PER_MILLION, TEN_THOUSANDTHS_PER_MILLION, clock, cutoff, moment, usd

AMOUNTS = st.decimals(min_value=0, max_value=1000, places=12, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("0.00000125", "0.00000125"),
        ("1e-07", "0.0000001"),
        ("0.000001250000", "0.00000125"),
        ("$0.5", "0.5"),
        (" 3 ", "3"),
        ("2.5999999999999996E-6", "0.0000025999999999999996"),
        (1e-07, "0.0000001"),
        (0, "0"),
        ("0", "0"),
        ("-0", "0"),
    ],
)
def test_a_price_per_token_keeps_every_digit(stated: object, expected: str) -> None:
    assert usd(stated) == Decimal(expected)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (Decimal("2.5999999999999996"), "2.6"),
        (Decimal("0.30000000000000004"), "0.3"),
        (6.3e-7 * 3, "0.00000189"),
        (Decimal("0.08333333333333333"), "0.08333333333333333"),
        (Decimal("1.23456789012345"), "1.23456789012345"),
    ],
)
def test_the_noise_of_a_float_is_no_part_of_a_price(stated: object, expected: str) -> None:
    assert usd(stated) == Decimal(expected)


@pytest.mark.parametrize(
    "stated",
    [None, "", "-1", -1, "free", "NaN", "Infinity", "1e400", "1e-999999", "9" * 41, True, [], {}, float("nan"), 10**9],
)
def test_what_is_no_price_is_unknown(stated: object) -> None:
    assert usd(stated) is None


@pytest.mark.parametrize(("stated", "per"), [("2.5", PER_MILLION), (25000, TEN_THOUSANDTHS_PER_MILLION)])
def test_units_meet_in_usd_per_token(stated: object, per: Decimal) -> None:
    assert usd(stated, per) == Decimal("0.0000025")


@given(AMOUNTS)
def test_prices_per_million_and_per_token_agree_exactly(amount: Decimal) -> None:
    per_token, per_million = usd(f"{amount:f}"), usd(f"{amount * 1_000_000:f}", PER_MILLION)
    assert per_token == per_million == amount


@given(AMOUNTS)
def test_equal_prices_are_spelt_alike(amount: Decimal) -> None:
    assert str(usd(f"{amount:f}")) == str(
        usd(f"{amount:f}".rstrip(".") if "." not in f"{amount:f}" else f"{amount:f}00")
    )


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers())))
def test_nothing_in_a_field_raises(stated: object) -> None:
    amount = usd(stated)
    assert amount is None or (amount >= 0 and amount.is_finite())
    assert moment(stated) is None or moment(stated).tzinfo is UTC  # type: ignore[union-attr]  # checked just before
    cutoff(stated)
    clock(stated)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (1767225600, "2026-01-01T00:00:00+00:00"),
        (1767225600000, "2026-01-01T00:00:00+00:00"),
        ("1767225600", "2026-01-01T00:00:00+00:00"),
        (Decimal("1767225600.5"), "2026-01-01T00:00:00.500000+00:00"),
        ("2026-01-01", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456+00:00"),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00"),
    ],
)
def test_times_are_read_in_every_form(stated: object, expected: str) -> None:
    assert moment(stated) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    "stated", [0, -1, 735790403, 1677610602, 1755815280, 10**18, "2098-12-31", "2090-01-01", "", "soon", None, True]
)
def test_sentinels_and_constants_are_no_times(stated: object) -> None:
    assert moment(stated) is None


def test_an_end_without_a_time_is_the_end_of_that_day() -> None:
    assert moment("2027-03-31", day_ends=True) == datetime(2027, 3, 31, 23, 59, 59, tzinfo=UTC)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2089, 12, 31)))  # noqa: DTZ001  the strategy adds the zone
def test_seconds_and_milliseconds_agree(at: datetime) -> None:
    whole = at.replace(microsecond=0, tzinfo=UTC)
    seconds = (whole - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert moment(seconds) in {whole, None}
    assert moment(seconds * 1000) in {whole, None}


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("2025", "2025"),
        ("2025-06", "2025-06"),
        ("2025-06-30", "2025-06-30"),
        ("2025-06-30T00:00:00Z", "2025-06-30"),
        ("June 2025", None),
        ("2025-13", None),
        ("20256", None),
        (None, None),
    ],
)
def test_a_cutoff_is_a_year_a_month_or_a_day(stated: object, expected: str | None) -> None:
    assert cutoff(stated) == expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (0, "00:00"),
        (600, "06:00"),
        (2230, "22:30"),
        (2400, "00:00"),
        ("09:30", "09:30"),
        (2460, None),
        (-5, None),
        ("9e999999", None),
    ],
)
def test_a_time_of_day_is_written_as_hours_and_minutes(stated: object, expected: str | None) -> None:
    assert clock(stated) == expected
