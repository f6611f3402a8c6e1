"""Network addresses: read in one way wherever they decide something, and named as the clients that limits count."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
LOCAL = "address:local"
"""A client without a network address: a Unix socket or a caller in this process."""


def read_address(host: str) -> IPv4Address | IPv6Address | None:
    """Read an address without its zone, as IPv4 where it is one written as IPv6; null where it is none."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def is_within(host: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether this is an address of one of the networks."""
    address = read_address(host)
    return address is not None and any(address in network for network in networks)


def address_client(host: str | None) -> str:
    """Name the client at an address; IPv6 clients by their /64, since each has a whole one to itself."""
    address = read_address(host or "")
    if address is None:
        return LOCAL
    if isinstance(address, IPv6Address) and not address.is_loopback:
        return f"address:{IPv6Address(int(address) >> 64 << 64)}/64"
    return f"address:{address}"


def is_local_client(client: str) -> bool:
    """Whether a client was named by an address of this machine."""
    return client == LOCAL or (client.startswith("address:") and is_within(client.removeprefix("address:"), LOOPBACK))
