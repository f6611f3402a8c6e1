"""The audit log: its entries, and where they are noted and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

KEY_ACTOR = "key:"
"""Starts the actor of a caller's key."""
ADDRESS_ACTOR = "address:"
"""Starts the actor of an unauthenticated client."""
AUTHENTICATE = "authenticate"
"""The action of sending a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One admin action, rejected authentication, or aggregated use of a caller's key."""

    seq: int = 0
    """The position in the audit log; 0 before it is stored."""
    at: datetime
    actor: str
    """The token's name, `key:<HMAC prefix>` for a caller's key, or the address for a rejected one; never a secret."""
    action: str
    """The requested action, such as refreshCatalogue."""
    target: str | None = None
    """Its object, such as a provider's id; `unknown` if it has none, null for a request without a token."""
    outcome: str
    """How it ended, such as ok, forbidden or failed."""
    count: int = 1
    """How many equal events this entry stands for."""


class AuditReader(Protocol):
    """Where audit entries are read."""

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Audit entries before a position, newest first."""


class AuditRecords(AuditReader, Protocol):
    """Where audit entries last. Every method may raise a StoreError."""

    async def audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append entries."""


class Audit(AuditReader, Protocol):
    """The audit log as answers use it: written without waiting."""

    def note(self, *, actor: str, action: str, outcome: str, target: str | None = None) -> None:
        """Write an entry soon. Never fails and never waits."""
