"""Trying a caller's key: at the provider's own check where there is one, else by what its list answers."""

import asyncio
from collections.abc import Awaitable, Callable

from pydantic import SecretStr

from catalogue.ports.on_demand import KeyCheck
from catalogue.vocabulary import KeyCheckOutcome
from upstream.errors import Unauthorized, UpstreamError
from upstream.lists import Call
from upstream.upstream import Upstream

_VERIFY_SECONDS = 5.0

CountModels = Callable[[], Awaitable[int]]
"""Reads the list with the key and counts its models; raises UpstreamError."""


async def verify_key(upstream: Upstream, call: Call, key: SecretStr) -> None:
    """Raise Unauthorized for a key that the provider's own check refuses; a list open to all takes any key."""
    url = _check_url(upstream)
    if url is None or upstream.adapter.needs_key:
        return
    try:
        async with asyncio.timeout(_VERIFY_SECONDS):
            await call(url, upstream.request_headers(key))
    except Unauthorized:
        raise
    except (UpstreamError, TimeoutError):
        return  # a check out of order says nothing of the key


async def check_key(
    upstream: Upstream, call: Call, key: SecretStr, count_models: CountModels, *, open_to_all: bool
) -> KeyCheck:
    """What the provider says of a key; `open_to_all` when its list is known to need none, and so proves nothing."""
    url = _check_url(upstream)
    count = None
    try:
        if url is None:
            count = await count_models()
        else:
            await call(url, upstream.request_headers(key))
    except Unauthorized:
        said = f"{upstream.name} refuses this key. Check that it is whole, meant for {upstream.name}, and not revoked."
        return KeyCheck(outcome=KeyCheckOutcome.INVALID, message=said)
    except UpstreamError as error:
        return KeyCheck(outcome=KeyCheckOutcome.UNREACHABLE, message=error.message)
    if url is None and open_to_all:
        said = f"{upstream.name} shows its list without a key as well, so that nothing is known of this one."
        return KeyCheck(outcome=KeyCheckOutcome.UNSUPPORTED, model_count=count, message=said)
    return KeyCheck(outcome=KeyCheckOutcome.VALID, model_count=count, message=f"{upstream.name} accepts this key.")


def _check_url(upstream: Upstream) -> str | None:
    """Where a key is checked; a health URL beside an adapter without a check may well answer to anyone."""
    return upstream.check_url() if upstream.adapter.key_check else None
