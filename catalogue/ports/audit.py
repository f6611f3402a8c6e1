"""Where admin actions are noted and read."""

from collections.abc import Sequence
from typing import Protocol

from catalogue.audit import AuditEntry


class Audit(Protocol):
    """The audit log, written without waiting and read a page at a time."""

    def note(self, *, actor: str, action: str, outcome: str, target: str | None = None) -> None:
        """Write an entry soon; never fails and never waits."""

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Audit entries before a position, newest first."""
