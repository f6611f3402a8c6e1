"""Trying a caller's key: at the provider's own check where there is one, else by what its list answers."""

from collections.abc import Awaitable, Callable

from pydantic import SecretStr

from catalogue.ports import KeyCheck
from catalogue.vocabulary import KeyCheckOutcome
from providers._kit.errors import Unauthorized, UpstreamError
from providers._kit.lists import Call
from providers._kit.upstream import Upstream

CountModels = Callable[[], Awaitable[int]]
"""Reads the list with the key and counts its models; raises UpstreamError."""


async def check_key(
    upstream: Upstream, call: Call, key: SecretStr, count_models: CountModels, *, open_to_all: bool
) -> KeyCheck:
    """What the provider says of a key; `open_to_all` when its list is known to need none, and so proves nothing."""
    url = upstream.check_url() if upstream.adapter.key_check else None
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
