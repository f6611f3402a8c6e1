"""The audit log: where admin actions are noted and read."""

from collections.abc import Sequence
from typing import Protocol

from catalogue.audit import AuditEntry


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
