"""Requests as Starlette sees them, and an audit log that remembers, for tests of who calls."""

from collections.abc import Iterable, Sequence

from starlette.requests import HTTPConnection

from catalogue.ports.audit import AuditEntry


class Notes:
    """An audit log that remembers what was noted: (actor, action, target, outcome)."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, str | None, str]] = []

    def note(self, *, actor: str, action: str, outcome: str, target: str | None = None) -> None:
        self.taken.append((actor, action, target, outcome))

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:  # noqa: ARG002 - a port
        return ()


def connection(*headers: tuple[str, str], peer: str | None = "192.0.2.1") -> HTTPConnection:
    """Make a connection of a peer with headers."""
    raw: Iterable[tuple[bytes, bytes]] = [
        (n.lower().encode("latin-1"), v.encode("latin-1", "replace")) for n, v in headers
    ]
    client = (peer, 1) if peer else None
    return HTTPConnection({"type": "http", "headers": list(raw), "client": client, "path": "/", "query_string": b""})
