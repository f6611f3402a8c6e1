"""PracticeUpstream: the loopback server itself, with its log, its faults and its gate.

async with PracticeUpstream() as upstream:
    upstream.set_fault("openrouter", Fault.HANG, path="/models", times=1)
    url = upstream.base_url("openrouter")
"""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from aiohttp import web

from tests.practice.bad_answers import Scene
from tests.practice.faults import ANSWER_FAULTS, ROW_FAULTS, Fault
from tests.practice.log import Seen, note
from tests.practice.plays import Provider, answer, echoed, provider
from tests.practice.rows import Row, openrouter_row

STRANGER = "stranger/model"
"""The one model that the other host lists: whoever has it followed the redirect."""

_LOGGED_REQUESTS = 100_000
_LARGEST_LIST = 64_000_000
_API_ROOTS = {"openrouter": "/api/v1"}


@dataclass(slots=True)
class _Planned:
    fault: Fault
    path: str
    left: int | None
    turns: int = 0


@dataclass(slots=True)
class _Gate:
    path: str = ""
    open: asyncio.Event = field(default_factory=asyncio.Event)


class PracticeUpstream:
    """Plays every provider on one loopback port, each under a path of its own.

    OpenRouter and Requesty are played under the names `openrouter` and `requesty`; every other name is an
    OpenAI-compatible server. It can be stopped and started again on the same port, which plays a refused connection.
    """

    def __init__(self, port: int = 0, *, drip: float = 0.05) -> None:
        self.port = port
        self.drip = drip
        self.log: deque[Seen] = deque(maxlen=_LOGGED_REQUESTS)
        self.streamed = 0
        """Bytes that the streaming faults have handed to their sockets."""
        self.in_flight = 0
        self.most_in_flight = 0
        self._elsewhere = ("127.0.0.2", 0)
        self._providers: dict[str, Provider] = {}
        self._faults: dict[str, list[_Planned]] = {}
        self._gates: dict[str, _Gate] = {}
        self._arrival = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, *routes: web.RouteDef) -> None:
        """Listen on 127.0.0.1, and on 127.0.0.2 as another host, unless it does; the caller's own routes come first."""
        if self._runner is not None:
            return
        app = web.Application(client_max_size=_LARGEST_LIST)
        app.add_routes([*routes, web.route("*", "/{provider}/{path:.*}", self._handle)])
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        await web.TCPSite(self._runner, *self._elsewhere).start()
        (_, self.port), self._elsewhere = (address[:2] for address in self._runner.addresses)

    async def stop(self) -> None:
        """Stop listening and cancel what is in flight; what comes now is refused."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def base_url(self, name: str) -> str:
        """Give the base URL to configure for a provider, below which its list is `/models`."""
        return f"http://127.0.0.1:{self.port}/{name}{_API_ROOTS.get(name, '/v1')}"

    def health_url(self, name: str) -> str:
        """Give the URL that checks a key: OpenRouter's /key, Requesty's /auth/check, else the list."""
        return self.base_url(name) + {"openrouter": "/key", "requesty": "/auth/check"}.get(name, "/models")

    def toml(self, *names: str) -> str:
        """Give the settings that point a catalogue at the named providers.

        A key check is named only where keys are set: it refuses everybody who has none.
        """
        lines = []
        for name in names or ("openrouter", "requesty", "practice"):
            lines += [f"[providers.{name}]", f'base_url = "{self.base_url(name)}"']
            if name not in {"openrouter", "requesty"}:
                lines += ['adapter = "openai-compatible"', f'name = "{name.title()}"']
            elif self.provider(name).keys:
                lines += [f'health_url = "{self.health_url(name)}"']
            lines += [""]
        return "\n".join(lines)

    def provider(self, name: str) -> Provider:
        """Give what a provider serves, with its usual small list at first."""
        return self._providers.setdefault(name, provider(name))

    def set_list(self, name: str, rows: list[Row]) -> None:
        """Serve these rows from now on."""
        self.provider(name).rows = rows
        self.provider(name).bodies.clear()

    def set_keys(self, name: str, keys: Mapping[str, list[Row] | None], *, required: bool = False) -> None:
        """Take these keys for valid, each with the list it may see (None: the public one)."""
        played = self.provider(name)
        played.keys, played.key_required = keys, required
        played.bodies.clear()

    def set_fault(self, name: str, fault: Fault | None, path: str | None = None, times: int | None = None) -> None:
        """Go wrong from now on, in place of the fault set before for the same path; None mends.

        Args:
            name: The provider.
            fault: How to go wrong.
            path: What the request's path must end with, such as "/models"; None for every request.
            times: How many requests go wrong before all is well again; None for all.
        """
        others = [planned for planned in self._faults.get(name, []) if planned.path != (path or "")]
        self._faults[name] = [*others, _Planned(fault, path or "", times)] if fault else others

    def faults(self) -> dict[str, list[Fault]]:
        """Give the faults that are on, by provider."""
        return {name: [planned.fault for planned in plans] for name, plans in self._faults.items() if plans}

    def clear(self) -> None:
        """Mend every provider and let go of every request that is held."""
        self._faults.clear()
        for name in list(self._gates):
            self.release(name)

    def hold(self, name: str, path: str = "") -> None:
        """Keep the requests whose path ends so in flight, until release."""
        self._gates[name] = _Gate(path)

    def release(self, name: str) -> None:
        """Answer the requests that are held, and hold no more."""
        if gate := self._gates.pop(name, None):
            gate.open.set()

    def seen(self, name: str | None = None, path: str = "") -> list[Seen]:
        """Give the requests logged, of one provider and with a path that ends so."""
        return [seen for seen in self.log if name in {None, seen.provider} and seen.path.endswith(path)]

    def calls(self) -> Counter[tuple[str, str]]:
        """Count the requests by provider and path."""
        return Counter((seen.provider, seen.path) for seen in self.log)

    async def arrived(self, count: int = 1, name: str | None = None, path: str = "") -> list[Seen]:
        """Wait until that many requests have come in, held ones included, and give them."""
        while len(seen := self.seen(name, path)) < count:
            await self._arrival.wait()
        return seen

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        seen = self._note(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if (gate := self._gates.get(seen.provider)) and seen.path.endswith(gate.path):
                await gate.open.wait()
            response = await self._answer(request, seen)
            played = self.provider(seen.provider)
            return echoed(played, request, response) if isinstance(response, web.Response) else response
        finally:
            self.in_flight -= 1

    async def _answer(self, request: web.Request, seen: Seen) -> web.StreamResponse:
        if seen.elsewhere:
            return web.json_response({"data": [openrouter_row(STRANGER)]})
        planned = self._next_fault(seen)
        fault = planned.fault if planned else None
        played = self.provider(seen.provider)
        true = answer(played, request, seen.path, ROW_FAULTS.get(fault) if fault else None)
        if planned is None or planned.fault not in ANSWER_FAULTS:
            return _unless_known(request, true)
        host, port = self._elsewhere
        scene = Scene(
            provider=played,
            request=request,
            true=true,
            elsewhere=f"http://{host}:{port}",
            drip=self.drip,
            turn=planned.turns,
            count=self._count,
        )
        return await ANSWER_FAULTS[planned.fault](scene)

    def _next_fault(self, seen: Seen) -> _Planned | None:
        for planned in self._faults.get(seen.provider, []):
            if seen.path.endswith(planned.path) and planned.left != 0:
                planned.turns += 1
                if planned.left is not None:
                    planned.left -= 1
                return replace(planned)
        return None

    def _note(self, request: web.Request) -> Seen:
        transport = request.transport
        here = transport.get_extra_info("sockname") if transport is not None else None
        seen = note(request, elsewhere=here == self._elsewhere)
        self.log.append(seen)
        self._arrival.set()
        self._arrival = asyncio.Event()
        return seen

    def _count(self, sent: int) -> None:
        self.streamed += sent


def _unless_known(request: web.Request, response: web.Response) -> web.Response:
    etag = response.headers.get("ETag")
    known = etag is not None and etag in request.headers.get("If-None-Match", "")
    return web.Response(status=304, headers={"ETag": etag}) if known and etag else response
