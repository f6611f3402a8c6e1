"""Origins: which pages may read answers and open WebSockets."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import HTTPConnection

_ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}


@dataclass(frozen=True, slots=True)
class Origins:
    """The pages of the server's own origin, and those of listed ones.

    No cookies are used, so that a foreign page has no more rights than a stranger.
    """

    listed: frozenset[str] = frozenset()
    """Exact origins in lower case, or `*` for every one."""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Whose X-Forwarded-Proto is believed."""

    def allow(self, connection: HTTPConnection) -> bool:
        """Whether the page that a connection comes from may; who sends no origin may: every browser sends one."""
        origin = connection.headers.get("origin")
        if origin is None or "*" in self.listed or origin.lower() in self.listed:
            return True
        return _ORIGIN.fullmatch(origin.lower()) is not None and origin.lower() == self._own(connection)

    def _own(self, connection: HTTPConnection) -> str:
        """The origin that the server has for who asks: its scheme and host as the browser knows them."""
        scheme = connection.scope.get("scheme", "http")
        if forwarded := connection.headers.get("x-forwarded-proto"):
            scheme = forwarded.rpartition(",")[2].strip().lower() if self._by_proxy(connection) else scheme
        return f"{_SCHEMES.get(scheme)}://{connection.headers.get('host', '').lower()}"

    def _by_proxy(self, connection: HTTPConnection) -> bool:
        try:
            address = ip_address(connection.client.host if connection.client else "")
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self.proxies)
