"""The limits of requests and of clients: sizes, counts, times and cost."""

from dataclasses import fields
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from execution.limits import DocumentLimits

Seconds = Annotated[float, Field(gt=0, le=366 * 86_400, allow_inf_nan=False)]


class Limits(BaseModel):
    """The table `[limits]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    body_bytes: PositiveInt = 262_144
    """Bytes of a request's body."""
    tokens: PositiveInt = 2_000
    """Lexical tokens of a document."""
    values: PositiveInt = 2_000
    """Values in a request's variables, including those in lists and objects."""
    depth: PositiveInt = 16
    """Levels of nested fields; the standard introspection query fits."""
    aliases: PositiveInt = 30
    """Aliases in a document."""
    directives: PositiveInt = 50
    """Directives in a document."""
    root_fields: PositiveInt = 20
    """Fields of one operation's root."""
    errors: PositiveInt = 5
    """Validation errors that are reported."""
    cost: PositiveInt = 50_000
    """Cost of one operation, computed before it runs."""
    rows: PositiveInt = 1_000
    """Maximum size that the cost assumes for a list without `limit` or `first`."""
    answer_rows: PositiveInt = 200_000
    """Entries of all lists of objects in one answer."""
    answer_bytes: PositiveInt = 16_777_216
    """Bytes of one answer."""
    execution_seconds: Seconds = 10.0
    """Seconds that one operation may run."""
    socket_message_bytes: PositiveInt = 262_144
    """Bytes of one WebSocket message."""
    socket_init_seconds: Seconds = 3.0
    """Seconds from opening a WebSocket to its `connection_init`."""
    socket_operations: PositiveInt = 100
    """Concurrent operations on one WebSocket."""
    head_seconds: Seconds = 15.0
    """Seconds for a request's headers to arrive."""
    arrival_seconds: Seconds = 30.0
    """Seconds for a request's body to arrive."""
    idle_seconds: Seconds = 15.0
    """Seconds that a connection may be idle between requests."""
    requests_per_minute: PositiveInt = 600
    """Sustained requests per minute of one client."""
    burst: PositiveInt = 120
    """Requests that one client may send at once after a pause."""
    concurrent_requests: PositiveInt = 20
    """Concurrent requests of one client, not counting event streams."""
    connections: PositiveInt = 20
    """Open WebSockets of one client."""
    subscriptions: PositiveInt = 200
    """Event streams of one client and operations on its WebSockets; these are not concurrent requests."""
    limit_loopback: bool = False
    """Whether the limits per client apply to clients on this machine; with trusted proxies they always do."""

    def document(self, *, introspection: bool, suggestions: bool) -> DocumentLimits:
        """The limits of documents and their execution."""
        same = self.model_dump(include={field.name for field in fields(DocumentLimits)})
        return DocumentLimits(
            **same,
            source=self.body_bytes,
            seconds=self.execution_seconds,
            introspection=introspection,
            suggestions=suggestions,
        )
