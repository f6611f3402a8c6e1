"""A GraphQL server that is none: it answers on loopback with what a test scripts, and remembers what it was asked."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class FakeServer:
    """What it answers, and what it was asked."""

    data: Mapping[str, Any] = field(default_factory=dict)
    errors: list[Mapping[str, Any]] = field(default_factory=list)
    events: list[Mapping[str, Any]] = field(default_factory=list)
    statuses: Mapping[str, int] = field(default_factory=dict)
    breaks_off: bool = False
    """Whether it ends within a chunk of a stream."""
    body: bytes | None = None
    """Said instead of GraphQL."""
    url: str = ""
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    @property
    def variables(self) -> Mapping[str, Any]:
        """The variables of the last operation that was no subscription."""
        found: Mapping[str, Any] = [body["variables"] for body in self.asked if "subscription" not in body["query"]][-1]
        return found


@contextmanager
def serving(fake: FakeServer) -> Iterator[FakeServer]:
    """Serve it on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(fake.statuses.get(self.path, 404), "text/plain", b"")

        def do_POST(self) -> None:
            fake.headers.append(dict(self.headers.items()))
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            fake.asked.append(body)
            if self.headers["accept"] == "text/event-stream":
                lines = [f"event: next\ndata: {json.dumps({'data': event})}\n\n" for event in fake.events]
                whole = "".join([":\n\n", *lines, "event: complete\ndata:\n\n"]).encode()
                if fake.breaks_off:
                    self._break_off("text/event-stream", whole)
                else:
                    self._answer(200, "text/event-stream", whole)
            else:
                answer = {"data": fake.data, **({"errors": fake.errors, "data": None} if fake.errors else {})}
                self._answer(200, "application/json", fake.body or json.dumps(answer).encode())

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _break_off(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n" % (len(body) + 1) + body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
