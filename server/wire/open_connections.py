"""The connections that each address has open, so that no address takes all that the process may have."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from server.callers.addresses import Peer
from server.wire.connection_limits import ConnectionLimits


@dataclass(frozen=True, slots=True)
class OpenConnections:
    """Counts connections by the address of the peer, IPv6 ones by their /64."""

    limits: ConnectionLimits
    client_of: dict[asyncio.BaseTransport, str] = field(default_factory=dict)
    count: Counter[str] = field(default_factory=Counter)

    def exempts(self, peer: Peer) -> bool:
        """Whether a peer may open any number of connections; one without an address is on this machine."""
        return peer.address is None or peer.is_within(self.limits.exempt)

    def admits(self, transport: asyncio.BaseTransport, peer: Peer) -> bool:
        """Count a connection until it leaves; False if its address has as many as it may have."""
        if self.exempts(peer):
            return True
        if self.count[peer.client] >= self.limits.per_address:
            return False
        self.client_of[transport] = peer.client
        self.count[peer.client] += 1
        return True

    def leave(self, transport: asyncio.BaseTransport) -> None:
        """Forget a connection, whether or not it was counted."""
        client = self.client_of.pop(transport, None)
        if client is not None:
            self.count[client] -= 1
            if not self.count[client]:
                del self.count[client]
