"""Only public addresses are called for an endpoint that a client names, and only the one that was checked."""

import asyncio
import socket
from collections.abc import Sequence

import pytest

from upstream.addresses import Lookup, PublicResolver, is_public, public_address, system_lookup
from upstream.errors import Rejected, Unreachable, UpstreamError
from upstream.http import ReadLimits, get, session


def lookup(*addresses: str) -> Lookup:
    async def found(_: str, __: int) -> Sequence[str]:
        return addresses

    return found


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104  nothing is bound here
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "203.0.113.7",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b:1::7f00:1",
        "2002:c0a8:1::1",
        "fec0::1",
        "fe80::5efe:7f00:1",
        "100::1",
        "3fff::1",
        "192.0.0.1",
        "192.88.99.1",
        "localhost",
        "",
    ],
)
def test_other_addresses_are_not(address: str) -> None:
    assert not is_public(address)


async def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    with pytest.raises(Rejected) as failed:
        await public_address("rebound.test", 443, lookup("1.1.1.1", "10.0.0.1"))
    assert "10.0.0.1" not in failed.value.message


async def test_a_public_host_gives_its_address() -> None:
    assert await public_address("one.test", 443, lookup("1.1.1.1", "1.0.0.1")) == "1.1.1.1"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "0",
        "localhost",
        "localhost.",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "\0",
        "a" * 300,
    ],
)
async def test_every_spelling_of_the_loopback_is_refused(host: str) -> None:
    with pytest.raises((Rejected, Unreachable)):
        await public_address(host, 80, system_lookup)


async def test_a_host_without_addresses_cannot_be_reached() -> None:
    async def fails(_: str, __: int) -> Sequence[str]:
        raise socket.gaierror

    for none in (lookup(), fails):
        with pytest.raises(Unreachable):
            await public_address("nowhere.test", 443, none)


async def test_the_resolver_gives_the_checked_address_and_no_other() -> None:
    resolver = PublicResolver(lookup("1.1.1.1", "1.0.0.1"))
    (found,) = await resolver.resolve("one.test", 443)
    assert (found["hostname"], found["host"], found["port"]) == ("one.test", "1.1.1.1", 443)
    with pytest.raises(OSError, match="family"):
        await resolver.resolve("one.test", 443, socket.AF_INET6)
    with pytest.raises(OSError, match="public"):
        await PublicResolver(lookup("10.0.0.1")).resolve("inner.test", 443)
    await resolver.close()


async def test_a_name_that_answers_differently_the_second_time_is_not_followed_inside() -> None:
    """What connects is the address that was checked; a later answer for the name is checked anew."""
    answers = iter([("93.184.216.34",), ("127.0.0.1",)])

    async def rebinding(_: str, __: int) -> Sequence[str]:
        return next(answers)

    resolver = PublicResolver(rebinding)
    (first,) = await resolver.resolve("rebound.test", 80)
    assert first["host"] == "93.184.216.34"
    with pytest.raises(OSError, match="not public"):
        await resolver.resolve("rebound.test", 80)


async def test_a_session_with_the_resolver_calls_nothing_inside() -> None:
    """A listening server on this machine, under a name that the resolver is asked for, is never reached."""
    reached = asyncio.Event()

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, session(resolver=PublicResolver(lookup("127.0.0.1"))) as client:
        with pytest.raises(UpstreamError):
            await get(client, f"http://inside.test:{port}/", {}, ReadLimits(timeout=5))
    assert not reached.is_set()
