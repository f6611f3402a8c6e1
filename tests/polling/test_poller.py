"""What all providers share: the store is trimmed, and a failing trim ends nothing."""

from datetime import datetime

import pytest
from structlog.testing import capture_logs

from catalogue.ports.errors import StoreUnusable
from tests.polling.one_provider import World
from tests.polling.still_clock import settle


async def test_the_store_is_trimmed_soon_after_the_start_and_every_hour_whatever_comes(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    trimmed: list[float] = []

    async def fail(_: datetime) -> None:
        trimmed.append(one.clock.seconds)
        raise StoreUnusable("The data folder is full.")

    monkeypatch.setattr(one.poller, "_trimmed", fail)
    with capture_logs() as logged:
        one.poller.start()
        await settle()
        for seconds in (60, 3600, 3600):
            one.clock.advance(seconds)
            await settle()
    assert trimmed == [60, 3660, 7260]
    told = [entry for entry in logged if entry["event"] == "store_untrimmed"]
    assert {entry["error"] for entry in told} == {"The data folder is full."}
    assert not any("exc_info" in entry for entry in told)
