"""A probe: the cheapest call that shows whether a provider answers; it costs no tokens."""

from polling.calls import CallSource
from polling.pace import Priority
from polling.server_key import ServerKey
from providers._kit.errors import Unauthorized
from providers._kit.upstream import Upstream

_ENOUGH = 4_096
"""So many bytes show that a provider answers; where the list itself is asked, the rest is not read."""


async def probe(upstream: Upstream, calls: CallSource, key: ServerKey) -> float:
    """Ask the key check, where there is one and a key, else the list; give the latency in milliseconds.

    Raises UpstreamError.
    """
    call = calls.at(Priority.PROBE, budget=upstream.calls.timeout, retries=0, enough=_ENOUGH)
    usable = key.usable(urgent=False)
    url = upstream.check_url() if usable or upstream.health_url else None
    try:
        return (await call(url or upstream.list_url(), upstream.request_headers(usable))).latency_ms
    except Unauthorized as error:
        if usable is not None:
            key.refused(error)
        raise
