"""The functions that a list and a query pass: `ways.py [rounds]`.

The server as it is shipped, in this process, over a practice upstream in a thread. A list's way goes from the step of
the coordinator that finds it due to the bytes of a subscriber's event, where one of three prices changed; a query's way
from the bytes of its request to those of the answer, once with a document that is new and once with a known one.

Printed in the order of the first call: the functions of our packages that run in every round, indented where they call
no other file; then the counts. Comprehensions, generator expressions, properties and generated functions are left out,
and the health history (`BESIDE`), which no subscriber waits for.
"""

import asyncio
import functools
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import CodeType
from typing import Any

import aiohttp

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.way import PACKAGES, ROOT, Way, is_in, properties
from server.cli import main
from tests.practice.only import only_named
from tests.practice.rows import openrouter_row
from tests.practice.upstream import PracticeUpstream

LIST_SECONDS = 2.5
"""The lifetime of a list; long enough for the health history of the last one to be written before the next."""
PATIENCE = 30.0
EVENTS = "subscription { catalogueChanged(kinds: [PRICE_CHANGED]) { kind at ... on PriceChanged { model { id } } } }"
QUERY = "{ models(limit: 2) { id name status pricing { input(per: MILLION) } } }"
QUERIES = ("query, new document", "query, known document")
LISTED = '{ provider(id: "openrouter") { modelCount health { lastSuccessAt } } }'


def begins_list(code: CodeType) -> bool:
    """Whether this is the step of a coordinator."""
    return code.co_name.lstrip("_") == "step" and is_in(code, "polling")


def ends_list(code: CodeType, event: str) -> bool:
    """Whether an event has been encoded."""
    return event == "return" and code.co_name == "encode" and is_in(code, "execution")


def begins_query(code: CodeType) -> bool:
    """Whether bytes have come on a connection."""
    return code.co_name == "data_received"


def ends_query(code: CodeType, event: str) -> bool:
    """Whether the transport has been given an answer."""
    return event == "call" and code.co_name == "on_response_complete"


class Client:
    """What drives the server: the upstream, a subscriber and a reader, on a loop of their own."""

    def __init__(self, way: Way, port: int, rounds: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.upstream_port = 0
        self.ready = threading.Event()
        self.found: dict[str, list[dict[CodeType, bool]]] = {
            "list": [],
            "query, new document": [],
            "query, known document": [],
        }
        self._way = way
        self._rounds = rounds

    def run(self) -> None:
        """Walk all ways, then stop the server."""
        try:
            asyncio.run(self._run())
        finally:
            self.ready.set()
            os.kill(os.getpid(), signal.SIGTERM)

    async def _run(self) -> None:
        async with PracticeUpstream() as self._upstream, aiohttp.ClientSession() as self._session:
            self.upstream_port = self._upstream.port
            self._serve_price(1)
            self.ready.set()
            async with asyncio.timeout(PATIENCE):
                await self._listed()
            for name in QUERIES:
                number = 0
                while len(self.found[name]) < self._rounds:
                    number += 1
                    text = f"# {number}\n{QUERY}" if name == QUERIES[0] else QUERY
                    await self._walked(name, functools.partial(self._ask, text), begins_query, ends_query)
            await self._lists()

    async def _listed(self) -> None:
        """Wait until the server has read the list."""
        while True:
            try:
                if (await self._ask(LISTED))["provider"]["modelCount"] == 3:
                    return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.1)

    async def _lists(self) -> None:
        body, headers = {"query": EVENTS}, {"Accept": "text/event-stream"}
        async with self._session.post(f"{self.url}/graphql", json=body, headers=headers) as events:
            price = 1

            async def changed() -> None:
                nonlocal price
                price += 1
                self._serve_price(price)
                async for line in events.content:
                    if line.startswith(b"data: {"):
                        return

            while len(self.found["list"]) < self._rounds:
                await self._walked("list", changed, begins_list, ends_list)

    async def _walked(
        self,
        name: str,
        walk: Callable[[], Awaitable[object]],
        begin: Callable[[CodeType], bool],
        end: Callable[[CodeType, str], bool],
    ) -> None:
        """Note a way where it was seen whole."""
        await asyncio.sleep(0.2)
        self._way.arm(begin, end)
        await asyncio.wait_for(walk(), PATIENCE)
        await asyncio.sleep(0.2)
        if self._way.is_whole:
            self.found[name].append(self._way.places)

    async def _ask(self, document: str) -> Any:
        async with self._session.post(f"{self.url}/graphql", json={"query": document}) as answer:
            whole = await answer.json(content_type=None)
            if "errors" in whole:
                raise SystemExit(str(whole["errors"]))
            return whole["data"]

    def _serve_price(self, price: int) -> None:
        prices = (price, 1, 1)
        rows = [openrouter_row(f"acme/m{n}", prompt=f"0.{price:06}") for n, price in enumerate(prices)]
        self._upstream.set_list("openrouter", rows)


def show(name: str, rounds: list[dict[CodeType, bool]]) -> None:
    """Print a way."""
    always = set.intersection(*map(set, rounds))
    left_out = properties()
    functions = [
        code
        for code in rounds[-1]
        if code in always and code not in left_out and (code.co_name == "<lambda>" or not code.co_name.startswith("<"))
    ]
    print(f"\n{name}:")
    for number, code in enumerate(functions, start=1):
        mark = "" if rounds[-1][code] else "    "
        print(f"{number:4} {mark}{Path(code.co_filename).relative_to(ROOT)}: {code.co_qualname}")
    others = {code.co_qualname for codes in rounds for code in codes} - {code.co_qualname for code in always}
    if others:
        print(f"     only in some rounds: {', '.join(sorted(others))}")
    print(
        f"{name}: {_sum(functions)}; that call another file: {_sum([code for code in functions if rounds[-1][code]])}"
    )
    for package in PACKAGES:
        if within := [code for code in functions if is_in(code, package)]:
            print(f"    {package}: {_sum(within)}")
    sys.stdout.flush()


def _sum(functions: list[CodeType]) -> str:
    return f"{len(functions)} functions in {len({code.co_filename for code in functions})} files"


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def serve(folder: Path, port: int, upstream_port: int) -> None:
    """Run the server in this thread until it is told to stop."""
    config = folder / "catalogue.toml"
    config.write_text(
        only_named(
            f"""
model_list_ttl = {LIST_SECONDS}
provider_health_ttl = 3600
guard_repriced_share = 1.0
[providers.openrouter]
base_url = "http://127.0.0.1:{upstream_port}/openrouter/api/v1"
requests_per_minute = 6000
burst = 1000
"""
        )
    )
    options = ["--config", str(config), "--data-dir", str(folder / "data"), "--port", str(port)]
    sys.argv = ["catalogue", "serve", *options]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise


def measure(rounds: int) -> None:
    """Walk every way and print it."""
    way = Way()
    client = Client(way, port := free_port(), rounds)
    driving = threading.Thread(target=client.run)
    driving.start()  # before the profile is set, which holds for the server's threads only
    client.ready.wait()
    threading.setprofile(way.profile)
    sys.setprofile(way.profile)
    with tempfile.TemporaryDirectory() as folder:
        serve(Path(folder), port, client.upstream_port)
    sys.setprofile(None)
    driving.join()
    for name, found in client.found.items():
        show(name, found[1:])  # the first round fills caches


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
