"""ServerProcess: the real server as a process of its own, with its configuration, its data folder and its clients.

async with ServerProcess(folder, toml) as server:
    data = await server.query("{ catalogue { revision } }")
    async with server.subscription("sse", "subscription { catalogueChanged { kind } }") as events:
        first = await anext(events)
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Self

import aiohttp

from tests.practice.only import only_named

PATIENCE = 30.0
"""Seconds after which a test gives up waiting; no test that passes waits nearly so long."""
COMMAND = (sys.executable, "-c", "from server.cli import main; main()")
ADMIN_TOKEN = "practice-admin-token"

Transport = Literal["ws", "sse"]
Data = dict[str, Any]
Events = AsyncGenerator[Data, None]


class QueryError(Exception):
    """The answer holds errors; `codes` are theirs."""

    def __init__(self, errors: list[Any]) -> None:
        super().__init__("; ".join(str(error["message"]) for error in errors))
        self.codes = [error.get("extensions", {}).get("code") for error in errors]


class ServerProcess:
    """One run of the server, with the providers that its settings name; the folder may be handed on to the next run."""

    def __init__(
        self,
        folder: Path,
        toml: str = "",
        *,
        env: Mapping[str, str] | None = None,
        command: tuple[str, ...] | None = None,
    ) -> None:
        self.data_dir = folder / "data"
        self.url = ""
        self._config = folder / "catalogue.toml"
        self._config.write_text(only_named(toml))
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CATALOGUE_ADMIN_TOKENS": f"ops:{ADMIN_TOKEN},reader:read:practice-reader-token",
            **(env or {}),
        }
        self._command = command or COMMAND
        self._stderr: list[bytes] = []
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the process and wait until it listens."""
        await self.spawn()
        line = await asyncio.wait_for(self._stdout.readline(), PATIENCE)
        assert line.startswith(b"Model catalogue at "), self.stderr
        self.url = line.split()[-1].decode().removesuffix("/graphql")
        self.session = aiohttp.ClientSession(
            self.url, connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=PATIENCE)
        )

    async def spawn(self) -> None:
        """Start the process without waiting for anything."""
        self._process = await self._started("serve", "--port", "0")
        assert self._process.stdout
        self._stdout = self._process.stdout
        self._reading = asyncio.create_task(self._read_stderr())

    async def _started(self, *words: str) -> asyncio.subprocess.Process:
        options = ["--config", str(self._config), "--data-dir", str(self.data_dir)]
        return await asyncio.create_subprocess_exec(
            *(*self._command, *words, *options),
            env=self._env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def told_by(self, *words: str) -> bytes:
        """Run another of the program's commands with the same settings, and give all that it writes."""
        out, err = await (await self._started(*words)).communicate()
        return out + err

    async def _read_stderr(self) -> None:
        assert self._process.stderr
        async for line in self._process.stderr:
            self._stderr.append(line)
            self._news.set()

    @property
    def stderr(self) -> str:
        """All that the process has logged so far."""
        return b"".join(self._stderr).decode()

    async def logged(self, text: str, *, after: int = 0) -> None:
        """Wait until the log, from a position on, holds a text."""
        async with asyncio.timeout(PATIENCE):
            while text not in self.stderr[after:]:
                self._news.clear()
                await self._news.wait()

    async def ended(self) -> int:
        """Wait until the process has ended, and give its exit code."""
        code = await asyncio.wait_for(self._process.wait(), PATIENCE)
        await self._reading
        return code

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process and give its exit code."""
        if self.url:
            await self.session.close()
        if self._process.returncode is None:
            self.signal(how)
        return await self.ended()

    def signal(self, how: signal.Signals) -> None:
        """Send a signal and wait for nothing."""
        with suppress(ProcessLookupError):
            self._process.send_signal(how)

    def cpu_seconds(self) -> float:
        """Seconds of CPU time that the process has taken so far."""
        return time.clock_gettime(~self._process.pid << 3 | 2)  # what clock_getcpuclockid(3) gives

    def peak_rss(self) -> int:
        """Bytes of memory that the process has held at most so far."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    async def query(self, document: str, *, token: str | None = None, **variables: object) -> Data:
        """Ask and give the data; QueryError when the answer holds errors."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"query": document, "variables": variables}
        async with self.session.post("/graphql", json=body, headers=headers) as answer:
            whole = await answer.json(content_type=None)
        if "errors" in whole:
            raise QueryError(whole["errors"])
        data: Data = whole["data"]
        return data

    async def refresh(self, *providers: str) -> list[Data]:
        """Refresh as an admin and give what each provider did."""
        data = await self.query(REFRESH, token=ADMIN_TOKEN, provider=list(providers))
        results: list[Data] = data["refreshCatalogue"]["results"]
        return results

    async def provider(self, provider: str) -> Data:
        """How a provider and its models stand now."""
        data: Data = (await self.query(PROVIDER, id=provider))["provider"]
        return data

    @asynccontextmanager
    async def subscription(self, transport: Transport, document: str, **variables: object) -> AsyncIterator[Events]:
        """Follow a subscription; the events are the data of its only field, and end when the stream does."""
        follow = _over_ws if transport == "ws" else _over_sse
        async with follow(self.session, {"query": document, "variables": variables}) as events:
            yield events


@asynccontextmanager
async def _over_ws(session: aiohttp.ClientSession, body: Data) -> AsyncIterator[Events]:
    async with session.ws_connect("/graphql", protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json(timeout=PATIENCE))["type"] == "connection_ack"
        await socket.send_json({"type": "subscribe", "id": "1", "payload": body})

        async def events() -> Events:
            async for message in socket:
                said = json.loads(message.data)
                if said["type"] == "complete":
                    return
                assert said["type"] == "next", said
                yield _only(said["payload"])

        async with aclosing(events()) as following:
            yield following


@asynccontextmanager
async def _over_sse(session: aiohttp.ClientSession, body: Data) -> AsyncIterator[Events]:
    headers = {"Accept": "text/event-stream"}
    async with session.post("/graphql", json=body, headers=headers) as answer:
        assert answer.status == 200
        assert await answer.content.readline() == b":\n"

        async def events() -> Events:
            async for line in answer.content:
                if line.startswith(b"data: "):
                    yield _only(json.loads(line.removeprefix(b"data: ")))

        async with aclosing(events()) as following:
            yield following


def _only(payload: Data) -> Data:
    assert "errors" not in payload, payload
    (value,) = payload["data"].values()
    data: Data = value
    return data


async def first(events: Events, **wanted: object) -> Data:
    """Wait for an event with these values, and give it."""
    async with asyncio.timeout(PATIENCE):
        async for event in events:
            if wanted.items() <= event.items():
                return event
    raise AssertionError(f"the stream ended before {wanted}")


REFRESH = """
mutation ($provider: [ID!]) {
  refreshCatalogue(provider: $provider) {
    results { provider { id } outcome added removed changed modelCount durationMs error { code message retryable } }
    changes { kind }
  }
}
"""
PROVIDER = """
query ($id: ID!) {
  provider(id: $id) {
    modelCount
    health {
      status breaker consecutiveFailures droppedRows lastSuccessAt nextCheckAt
      error { code message retryable } quarantine { id reason removed repriced }
    }
    models { id status errorMessage source sourceAsOf providerHealth pricing { input(per: MILLION) } }
  }
}
"""
