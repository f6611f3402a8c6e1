"""A probe: the cheapest call that shows whether a provider answers; it costs no tokens."""

from collections.abc import Mapping

from catalogue.observation import Answered, CallFailed
from upstream import problems
from upstream.call_rate import Priority
from upstream.calls import CallPolicy, CallSource
from upstream.errors import Throttled, Unauthorized, UpstreamError
from upstream.lists import Call
from upstream.parse import refuse_web_page
from upstream.server_key import ServerKey
from upstream.upstream import Upstream

_ENOUGH = 4_096
"""Bytes that show that a provider answers; the rest of a list is not read."""


async def probe(upstream: Upstream, calls: CallSource, key: ServerKey, *, retried: bool) -> Answered | CallFailed:
    """Ask the health check or, where there is one and a key, the key check, else the list.

    If the check fails, the list is asked instead, because a list that can be read matters more. A `retried` probe is
    sent once more when it fails, so that one lost packet does not degrade the provider.
    """
    try:
        latency_ms, failed_check = await _asked(upstream, calls, key, retries=1 if retried else 0)
    except UpstreamError as error:
        return CallFailed(problem=problems.of_error(error, at=key.clock.now()), key=key.problem)
    check = problems.of_check(failed_check, at=key.clock.now()) if failed_check else None
    return Answered(latency_ms=latency_ms, check=check, key=key.problem)


async def _asked(
    upstream: Upstream, calls: CallSource, key: ServerKey, *, retries: int
) -> tuple[float, UpstreamError | None]:
    """Return the latency, and the error of a check where only the list answered."""
    call = calls.at(CallPolicy(priority=Priority.PROBE, budget=upstream.calls.timeout, retries=retries, enough=_ENOUGH))
    usable = key.usable(urgent=False)
    headers = upstream.request_headers(usable)
    check = upstream.check_url() if usable or upstream.health_url else None
    try:
        if check is None:
            return await _latency(call, upstream.list_url(), headers), None
        try:
            return await _latency(call, check, headers, any_page=upstream.health_url is not None), None
        except (Unauthorized, Throttled):
            raise
        except UpstreamError as error:
            return await _latency(call, upstream.list_url(), headers), error
    except Unauthorized as error:
        if usable is not None:
            key.refused(error)
        raise


async def _latency(call: Call, url: str, headers: Mapping[str, str], *, any_page: bool = False) -> float:
    answer = await call(url, headers)
    if not any_page:
        refuse_web_page(answer.body)
    return answer.latency_ms
