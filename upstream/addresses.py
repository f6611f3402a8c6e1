"""Which addresses may be called for an endpoint that a client names: public ones, and just those that were checked.

Endpoints in the configuration are the operator's word and are not checked.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

from upstream.errors import Rejected, Unreachable

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and a port to addresses; raises OSError where there are none."""

_NAT64 = IPv6Network("64:ff9b::/96")
_TAKEN_FOR_PUBLIC = (IPv6Network("fec0::/10"), IPv6Network("3fff::/20"), IPv4Network("192.88.99.0/24"))
"""What `is_global` lets pass: site-local addresses, those for documentation (RFC 9637), and 6to4 relays (RFC 7526)."""


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


async def public_address(host: str, port: int, lookup: Lookup = system_lookup) -> str:
    """The address to call for a host; Rejected when any of its addresses is not public, so that none can be chosen.

    Connect to the address given, not to the name again: the next answer for the name may be another.
    """
    try:
        found = await lookup(host.strip("[]"), port)
    except (OSError, UnicodeError):
        found = ()
    if not found:
        raise Unreachable("The endpoint's host name could not be resolved.")
    if not all(is_public(address) for address in found):
        raise Rejected("The endpoint's address is not a public one.")
    return found[0]


def is_public(address: str) -> bool:
    """Whether an address is on the public internet, looking through every way to write an IPv4 address as IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    inner = _embedded(parsed) if isinstance(parsed, IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    if any(parsed in network for network in _TAKEN_FOR_PUBLIC):
        return False
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


class PublicResolver(AbstractResolver):
    """Gives a session's connector checked addresses only, and so the very address that was checked.

    A connector does not resolve what is an address already: check a URL's host with `public_address` as well.
    """

    def __init__(self, lookup: Lookup = system_lookup) -> None:
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """One address; OSError, as aiohttp expects, where there is none to give."""
        try:
            address = await public_address(host, port, self._lookup)
        except (Rejected, Unreachable) as error:
            raise OSError(error.message) from None
        actual = socket.AF_INET6 if ":" in address else socket.AF_INET
        if family not in {socket.AF_UNSPEC, actual}:
            raise OSError("The endpoint has no address of the wanted family.")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=actual, proto=0, flags=socket.AI_NUMERICHOST)
        ]

    async def close(self) -> None:
        """Nothing to close."""
