"""Network addresses: parsed in one place, and named as the clients that limits count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Self

Networks = tuple[IPv4Network | IPv6Network, ...]
LOOPBACK: Networks = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
LOCAL = "address:local"
"""A client without a network address: a Unix socket or a caller in this process."""
_MAX_HOPS = 20
_PEER = "catalogue.peer"
"""Names a connection's peer in the ASGI scope's state."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection, or of one that a proxy speaks for."""

    address: IPv4Address | IPv6Address | None
    """Without its zone, and as IPv4 if it is IPv4 written as IPv6. Null without a network address."""
    client: str
    """Its name as a client; IPv6 clients are named by their /64, since each has a whole one to itself."""

    @classmethod
    def at(cls, host: str | None) -> Self:
        """Parse the address of a peer."""
        try:
            address = ip_address((host or "").partition("%")[0])
        except ValueError:
            return cls(None, LOCAL)
        if isinstance(address, IPv6Address):
            if not address.ipv4_mapped and not address.is_loopback:
                return cls(address, f"address:{IPv6Address(int(address) >> 64 << 64)}/64")
            address = address.ipv4_mapped or address
        return cls(address, f"address:{address}")

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Self:
        """The peer of an ASGI connection: as parsed when it was accepted, or else parsed now."""
        known: Self | None = scope.get("state", {}).get(_PEER)
        return known or cls.at((scope.get("client") or (None,))[0])

    def noted_in(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """The state of an ASGI connection with this peer in it."""
        return {**state, _PEER: self}

    def is_within(self, networks: Networks) -> bool:
        """Whether its address is in one of the networks."""
        return self.address is not None and any(self.address in network for network in networks)

    def behind(self, proxies: Networks, forwarded: Sequence[str]) -> "Peer":
        """The peer for which trusted proxies speak, by X-Forwarded-For, read from the nearest proxy on."""
        peer = self
        for hop in reversed(",".join(forwarded).rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]):
            if not peer.is_within(proxies):
                break
            # As proxies write it: bare, with a port, or in brackets.
            host = hop.strip()
            if host.startswith("["):
                host = host[1:].partition("]")[0]
            elif host.count(":") == 1:
                host = host.partition(":")[0]
            before = Peer.at(host)
            if before.address is None:
                break
            peer = before
        return peer
