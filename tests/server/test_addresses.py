"""Addresses: which client each one counts as."""

import pytest

from server.callers.addresses import LOCAL, address_client


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.1", "address:192.0.2.1"),
        ("::ffff:192.0.2.1", "address:192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "address:2001:db8:1:2::/64"),
        ("fe80::1%eth0", "address:fe80::/64"),
        ("::1", "address:::1"),
        ("testclient", LOCAL),
        (None, LOCAL),
    ],
)
def test_an_address_names_a_client_and_ipv6_ones_by_their_network(host: str | None, client: str) -> None:
    assert address_client(host) == client
