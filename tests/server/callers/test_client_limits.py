"""Limits per client: a steady rate with a burst, so many things at once, and a table that cannot grow."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.errors import RateLimited
from catalogue.scope import Scope
from server.callers.addresses import LOCAL
from server.callers.client_limits import ClientLimits
from server.config.limits import Limits

ALICE, BOB = "address:192.0.2.1", "token:bob"


class _Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def _limits(
    clock: _Clock | None = None, *, exempt_loopback: bool = False, max_clients: int = 100, **limits: int
) -> ClientLimits:
    block = Limits.model_validate({"requests_per_minute": 60, "burst": 3, **limits})
    return ClientLimits(block, exempt_loopback=exempt_loopback, clock=clock or _Clock(), max_clients=max_clients)


def _allowed(limits: ClientLimits, client: str, tries: int) -> int:
    count = 0
    for _ in range(tries):
        try:
            limits.spend(client)
        except RateLimited:
            continue
        count += 1
    return count


def test_a_burst_passes_and_then_the_steady_rate() -> None:
    clock = _Clock()
    limits = _limits(clock)
    assert _allowed(limits, ALICE, 10) == 3
    clock.now += 1
    assert _allowed(limits, ALICE, 10) == 1
    clock.now += 3_600
    assert _allowed(limits, ALICE, 10) == 3


def test_a_refusal_says_how_long_to_wait_and_that_is_enough() -> None:
    clock = _Clock()
    limits = _limits(clock)
    _allowed(limits, ALICE, 3)
    clock.now += 0.4
    with pytest.raises(RateLimited, match="60 a minute") as refused:
        limits.spend(ALICE)
    assert refused.value.retry_after == pytest.approx(0.6)
    clock.now += refused.value.retry_after
    limits.spend(ALICE)


def test_one_client_does_not_spend_anothers_rate() -> None:
    limits = _limits()
    _allowed(limits, ALICE, 10)
    assert _allowed(limits, BOB, 10) == 3


@given(st.lists(st.floats(0, 5), max_size=60))
def test_no_more_than_burst_and_rate_pass_in_any_pattern(pauses: list[float]) -> None:
    clock = _Clock()
    limits, passed = _limits(clock), 0
    for pause in pauses:
        clock.now += pause
        passed += _allowed(limits, ALICE, 2)
    assert passed <= 3 + sum(pauses) + 1e-6


def test_the_table_of_clients_is_bounded_and_forgets_the_one_seen_longest_ago() -> None:
    limits = _limits(max_clients=10)
    _allowed(limits, ALICE, 3)
    for number in range(1_000):
        limits.spend(f"address:198.51.100.{number}")
    assert len(limits._rate._whole_at) == 10
    assert _allowed(limits, ALICE, 10) == 3


def test_what_is_left_is_told_in_headers_and_to_graphql() -> None:
    limits = _limits(cost=99)
    limits.spend(ALICE)
    assert limits.headers(ALICE) == {
        "RateLimit-Policy": '"burst";q=3;w=3',
        "RateLimit": '"burst";r=2;t=1',
        "RateLimit-Limit": "3",
        "RateLimit-Remaining": "2",
        "RateLimit-Reset": "1",
    }
    allowance = limits.allowance(ALICE)
    assert (allowance.limit, allowance.remaining, allowance.cost_limit) == (3, 2, 99)
    assert allowance.reset_at is not None
    assert 0 <= (allowance.reset_at - datetime.now(UTC)).total_seconds() <= 1


def test_nothing_is_left_after_the_burst() -> None:
    limits = _limits()
    _allowed(limits, ALICE, 5)
    assert limits.allowance(ALICE).remaining == 0


@pytest.mark.parametrize("client", ["address:127.0.0.1", "address:127.0.0.2", "address:::1", LOCAL])
def test_callers_on_this_machine_are_free_where_they_are_exempt(client: str) -> None:
    free, bound = _limits(exempt_loopback=True), _limits(exempt_loopback=False)
    assert _allowed(free, client, 10) == 10
    assert free.headers(client) == {}
    assert free.allowance(client).limit is None
    assert _allowed(bound, client, 10) == 3


@pytest.mark.parametrize("client", [ALICE, BOB, "token:127.0.0.1", "address:2001:db8::/64"])
def test_nobody_else_is_exempt(client: str) -> None:
    assert _allowed(_limits(exempt_loopback=True), client, 10) == 3


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        ("request", "concurrent_requests"),
        ("connection", "connections"),
        ("subscription", "subscriptions"),
        ("operation", "subscriptions"),
    ],
)
async def test_so_many_things_at_once_and_a_place_comes_back_however_it_ended(kind: str, limit: str) -> None:
    limits = ClientLimits(Limits.model_validate({limit: 1}), exempt_loopback=False)
    place = getattr(limits, kind)
    alice, bob = Scope(client=ALICE), Scope(client=BOB)

    async def two_at_once() -> None:
        async with place(alice), place(alice):
            pass

    with pytest.raises(RateLimited, match="1 are allowed"):
        await two_at_once()
    async with place(alice), place(bob):
        pass
    assert not limits._requests
    assert not limits._connections
    assert not limits._subscriptions
