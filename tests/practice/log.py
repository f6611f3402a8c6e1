"""What the practice upstream remembers of a request: everything worth asking about, and no key."""

import time
from dataclasses import dataclass
from hashlib import sha256

from aiohttp import web

_HEADERS = ("Accept", "Accept-Encoding", "If-None-Match", "User-Agent", "HTTP-Referer", "X-Title")
_KEY_HEADERS = ("Authorization", "X-Api-Key")


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived; the path starts behind the provider's name."""

    provider: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """The headers worth asking about; of one that holds a key, the fingerprint of its whole value."""
    at: float
    """Seconds of the monotonic clock."""
    elsewhere: bool
    """Whether it came to the other host, to which a redirect points."""


def note(request: web.Request, *, elsewhere: bool) -> Seen:
    """Take down a request whose route has the variables `provider` and `path`."""
    headers = {name: request.headers[name] for name in _HEADERS if name in request.headers}
    headers |= {name: fingerprint(request.headers[name]) for name in _KEY_HEADERS if name in request.headers}
    return Seen(
        provider=request.match_info["provider"],
        method=request.method,
        path="/" + request.match_info["path"],
        query=dict(request.query),
        headers=headers,
        at=time.monotonic(),
        elsewhere=elsewhere,
    )


def fingerprint(secret: str) -> str:
    """Give what the log keeps of a secret header: enough to tell two apart, too little to use."""
    return sha256(secret.encode()).hexdigest()[:12]
