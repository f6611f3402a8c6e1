"""A probe: the cheapest call that shows whether a provider answers; it costs no tokens."""

from collections.abc import Mapping
from dataclasses import dataclass

from upstream.call_rate import Priority
from upstream.calls import CallPolicy, CallSource
from upstream.errors import Throttled, Unauthorized, UpstreamError
from upstream.lists import Call
from upstream.parse import refuse_web_page
from upstream.server_key import ServerKey
from upstream.upstream import Upstream

_ENOUGH = 4_096
"""So many bytes show that a provider answers; where the list itself is asked, the rest is not read."""


@dataclass(frozen=True, slots=True)
class Answered:
    """That a provider answers."""

    latency_ms: float
    trouble: UpstreamError | None = None
    """What is wrong with its health check, where only its list answers."""


async def probe(upstream: Upstream, calls: CallSource, key: ServerKey, *, retries: int) -> Answered:
    """Ask the health check or, where there is one and a key, the key check, else the list.

    A check that fails says little as long as the list can be had, so the list is asked then. Raises UpstreamError.
    """
    call = calls.at(CallPolicy(priority=Priority.PROBE, budget=upstream.calls.timeout, retries=retries, enough=_ENOUGH))
    usable = key.usable(urgent=False)
    headers = upstream.request_headers(usable)
    check = upstream.check_url() if usable or upstream.health_url else None
    try:
        if check is None:
            return Answered(await _latency(call, upstream.list_url(), headers))
        try:
            return Answered(await _latency(call, check, headers, any_page=upstream.health_url is not None))
        except (Unauthorized, Throttled):
            raise
        except UpstreamError as error:
            return Answered(await _latency(call, upstream.list_url(), headers), trouble=error)
    except Unauthorized as error:
        if usable is not None:
            key.refused(error)
        raise


async def _latency(call: Call, url: str, headers: Mapping[str, str], *, any_page: bool = False) -> float:
    answer = await call(url, headers)
    if not any_page:
        refuse_web_page(answer.body)
    return answer.latency_ms
