"""Origins: which pages may read answers and open WebSockets."""

import re
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from server.callers.addresses import Networks, Peer

_ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}


@dataclass(frozen=True, slots=True)
class Origins:
    """The pages of the server's own origin, and those of listed ones.

    No cookies are used, so a foreign page has no more rights than any unauthenticated client.
    """

    listed: frozenset[str] = frozenset()
    """Exact origins in lower case, or `*` for every one."""
    proxies: Networks = ()
    """Whose X-Forwarded-Proto is believed."""

    def allow(self, connection: HTTPConnection) -> bool:
        """Whether a connection's page may read the answer. Browsers always send an origin; without one it may."""
        origin = connection.headers.get("origin")
        if origin is None or "*" in self.listed or origin.lower() in self.listed:
            return True
        return _ORIGIN.fullmatch(origin.lower()) is not None and origin.lower() == self._own(connection)

    def _own(self, connection: HTTPConnection) -> str:
        """The server's own origin: its scheme and host as the browser knows them."""
        scheme = connection.scope.get("scheme", "http")
        if forwarded := connection.headers.get("x-forwarded-proto"):
            by_proxy = Peer.of(connection.scope).is_within(self.proxies)
            scheme = forwarded.rpartition(",")[2].strip().lower() if by_proxy else scheme
        return f"{_SCHEMES.get(scheme)}://{connection.headers.get('host', '').lower()}"
