"""Addresses: which client each one counts as."""

import pytest

from server.callers.addresses import LOCAL, Peer
from server.callers.client_limits import ClientLimits
from server.config.limits import Limits


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
    assert Peer.at(host).client == client


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::ffff:127.0.0.1", True),
        ("::1", True),
        (None, True),
        ("12.7.0.1", False),
        ("::2", False),
        ("::ffff:192.0.2.1", False),
        ("1::1", False),
    ],
)
def test_a_client_at_an_address_of_this_machine_is_local(host: str | None, *, local: bool) -> None:
    assert ClientLimits(Limits(), exempt_loopback=True).exempts(Peer.at(host).client) is local


@pytest.mark.parametrize("name", ["token:127.0.0.1", "token:local", "token:address:local"])
def test_a_client_with_a_token_is_not_local_whatever_its_name(name: str) -> None:
    assert not ClientLimits(Limits(), exempt_loopback=True).exempts(name)
