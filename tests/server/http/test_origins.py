"""Origins: one rule decides which pages may read answers and open sockets."""

from ipaddress import ip_network

import pytest
from starlette.requests import HTTPConnection

from server.http.origins import Origins

PROXIES = (ip_network("192.0.2.0/24"),)


def _connection(
    origin: str | None, host: str | None = "catalogue.example", *, scheme: str = "https", forwarded: str | None = None
) -> HTTPConnection:
    said = {"origin": origin, "host": host, "x-forwarded-proto": forwarded}
    headers = [(name.encode(), value.encode()) for name, value in said.items() if value is not None]
    return HTTPConnection({"type": "http", "scheme": scheme, "client": ("192.0.2.7", 1), "headers": headers})


@pytest.mark.parametrize("host", ["catalogue.example:8443", "[::1]:8000", "192.0.2.1"])
def test_the_pages_of_this_host_may_whatever_its_port(host: str) -> None:
    assert Origins().allow(_connection(f"https://{host}", host))


@pytest.mark.parametrize(("origin", "host"), [("https://h#@evil", "h#@evil"), ("https://", None), ("None://h", "h")])
def test_a_host_that_is_none_has_no_pages(origin: str, host: str | None) -> None:
    assert not Origins().allow(_connection(origin, host))


@pytest.mark.parametrize(
    ("origin", "listed", "verdict"),
    [
        (None, (), True),
        ("https://catalogue.example", (), True),
        ("http://catalogue.example", (), False),
        ("https://other.example", (), False),
        ("https://catalogue.example:444", (), False),
        ("null", (), False),
        ("", (), False),
        ("https://[broken", (), False),
        ("HTTPS://Catalogue.example", (), True),
        ("ftp://catalogue.example", (), False),
        ("https://catalogue.example/", (), False),
        ("https://me@catalogue.example", (), False),
        ("https://h#@catalogue.example", (), False),
        ("https://OTHER.example", ("https://other.example",), True),
        ("https://other.example", ("*",), True),
    ],
)
def test_one_rule_decides_for_answers_and_sockets(
    origin: str | None,
    listed: tuple[str, ...],
    verdict: bool,  # noqa: FBT001 - a table's column
) -> None:
    assert Origins(frozenset(listed)).allow(_connection(origin)) is verdict


@pytest.mark.parametrize(("scheme", "page"), [("http", "http"), ("ws", "http"), ("https", "https"), ("wss", "https")])
def test_a_page_of_this_host_has_the_scheme_of_the_connection(scheme: str, page: str) -> None:
    for other in ("http", "https"):
        allowed = Origins().allow(_connection(f"{other}://catalogue.example", scheme=scheme))
        assert allowed is (other == page)


@pytest.mark.parametrize("forwarded", ["https", "HTTPS", "http, https", "wss"])
def test_the_scheme_is_what_a_trusted_proxy_says_and_nobody_else(forwarded: str) -> None:
    connection = _connection("https://catalogue.example", scheme="http", forwarded=forwarded)
    assert Origins(proxies=PROXIES).allow(connection)
    assert not Origins().allow(connection)
    assert not Origins(proxies=(ip_network("198.51.100.0/24"),)).allow(connection)
