"""The caller: identity, rights and own provider keys, kept only as long as the request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from pydantic import SecretStr


class Grant(Enum):
    """A right that an admin token carries; ADMIN holds the others."""

    READ = "read"
    REFRESH = "refresh"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The caller of one request or one socket."""

    client: str = "anonymous"
    """The client that limits count: `token:<name>` or `address:<ip>`."""
    actor: str | None = None
    """The name of the admin token, for the audit log."""
    grants: frozenset[Grant] = frozenset()
    """What the token allows."""
    keys: Mapping[str, SecretStr] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """The caller's own keys by provider id."""
    last_event_id: str | None = None
    """The cursor after which a resumed event stream goes on (`Last-Event-ID`)."""

    def allows(self, grant: Grant) -> bool:
        """Whether the caller holds a right."""
        return grant in self.grants or Grant.ADMIN in self.grants
