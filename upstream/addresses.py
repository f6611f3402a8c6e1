"""Allows calls to a client's own endpoint only at public addresses, and only at the address that was checked.

Endpoints in the configuration are trusted and are not checked.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

from upstream.errors import Rejected, Unreachable

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Resolves a host name and port to addresses; raises OSError if there are none."""

_NAT64 = IPv6Network("64:ff9b::/96")
_WRONGLY_GLOBAL = (IPv6Network("fec0::/10"), IPv6Network("3fff::/20"), IPv4Network("192.88.99.0/24"))
"""Non-public networks that `is_global` accepts: site-local, documentation (RFC 9637) and 6to4 relays (RFC 7526)."""


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """Resolve a host name with the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


async def public_address(host: str, port: int, lookup: Lookup = system_lookup) -> str:
    """Resolve a host to the address to call; raises Rejected if any of its addresses is not public.

    Connect to this address, not to the name: the name may resolve to another address the next time.
    """
    try:
        found = await lookup(host.strip("[]"), port)
    except (OSError, UnicodeError):
        found = ()
    if not found:
        raise Unreachable("The endpoint's host name could not be resolved.")
    if not all(is_public(address) for address in found):
        raise Rejected("The endpoint's address is not public.")
    return found[0]


def is_public(address: str) -> bool:
    """Whether an address is on the public internet; IPv4 addresses embedded in IPv6 are unwrapped first."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    inner = _embedded(parsed) if isinstance(parsed, IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    if any(parsed in network for network in _WRONGLY_GLOBAL):
        return False
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


class PublicResolver(AbstractResolver):
    """Resolver for a client session that returns only checked, public addresses.

    A connector does not resolve a literal address, so check a URL's host with `public_address` as well.
    """

    def __init__(self, lookup: Lookup = system_lookup) -> None:
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve to one address; raises OSError, as aiohttp expects, if there is none."""
        try:
            address = await public_address(host, port, self._lookup)
        except (Rejected, Unreachable) as error:
            raise OSError(error.message) from None
        actual = socket.AF_INET6 if ":" in address else socket.AF_INET
        if family not in {socket.AF_UNSPEC, actual}:
            raise OSError("The endpoint has no address of the requested family.")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=actual, proto=0, flags=socket.AI_NUMERICHOST)
        ]

    async def close(self) -> None:
        """Do nothing: no resources are held."""
