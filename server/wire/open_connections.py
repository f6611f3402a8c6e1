"""The connections that each address has open, so that no address takes all that the process may have."""

import asyncio
from collections import Counter

from server.callers.addresses import address_client, is_within
from server.wire.connection_limits import ConnectionLimits


class OpenConnections:
    """Counts connections by the address of the peer, IPv6 ones by their /64."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._address_of: dict[asyncio.BaseTransport, str] = {}
        self._count: Counter[str] = Counter()

    def exempts(self, host: str | None) -> bool:
        """Whether no limit holds for the connections of an address; a peer without one is on this machine."""
        return host is None or is_within(host, self._limits.exempt)

    def admits(self, transport: asyncio.BaseTransport, host: str | None) -> bool:
        """Count a connection until it leaves; False where its address has as many as it may have."""
        if self.exempts(host):
            return True
        address = address_client(host)
        if self._count[address] >= self._limits.per_address:
            return False
        self._address_of[transport] = address
        self._count[address] += 1
        return True

    def leave(self, transport: asyncio.BaseTransport) -> None:
        """Forget a connection, whether or not it was counted."""
        address = self._address_of.pop(transport, None)
        if address is not None:
            self._count[address] -= 1
            if not self._count[address]:
                del self._count[address]
