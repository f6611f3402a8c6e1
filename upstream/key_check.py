"""Checks a caller's key with the provider's key check or, if it has none, by reading its list."""

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
"""Reads the list with the key and returns the number of models; raises UpstreamError."""


async def verify_key(upstream: Upstream, call: Call, key: SecretStr) -> None:
    """Raise Unauthorized if the provider's key check rejects the key; a public list accepts any key."""
    url = _check_url(upstream)
    if url is None or upstream.adapter.needs_key:
        return
    try:
        async with asyncio.timeout(_VERIFY_SECONDS):
            await call(url, upstream.request_headers(key))
    except Unauthorized:
        raise
    except (UpstreamError, TimeoutError):
        return  # a failed check does not show whether the key is good


async def check_key(
    upstream: Upstream, call: Call, key: SecretStr, count_models: CountModels, *, open_to_all: bool
) -> KeyCheck:
    """Check a key; `open_to_all` is true if the list is known to need no key, so that reading it proves nothing."""
    url = _check_url(upstream)
    count = None
    try:
        if url is None:
            count = await count_models()
        else:
            await call(url, upstream.request_headers(key))
    except Unauthorized:
        message = f"{upstream.name} rejects this key. Check that it is complete, not revoked, and for {upstream.name}."
        return KeyCheck(outcome=KeyCheckOutcome.INVALID, message=message)
    except UpstreamError as error:
        return KeyCheck(outcome=KeyCheckOutcome.UNREACHABLE, message=error.message)
    if url is None and open_to_all:
        message = f"{upstream.name} publishes its list without a key, so this key could not be checked."
        return KeyCheck(outcome=KeyCheckOutcome.UNSUPPORTED, model_count=count, message=message)
    return KeyCheck(outcome=KeyCheckOutcome.VALID, model_count=count, message=f"{upstream.name} accepts this key.")


def _check_url(upstream: Upstream) -> str | None:
    """The URL that checks a key; null without a key check, since a health URL may answer anyone."""
    return upstream.check_url() if upstream.adapter.key_check else None
