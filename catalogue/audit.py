"""Who did what: the entries of the audit log."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One admin action, rejected authentication, or aggregated use of a caller's key."""

    seq: int = 0
    """The position in the audit log; 0 before it is stored."""
    at: datetime
    actor: str
    """The token's name, `key:<HMAC prefix>` for a caller's key, or the address for a rejected one; never a secret."""
    action: str
    """What was asked, such as refreshCatalogue."""
    target: str | None = None
    """On what, such as a provider's id."""
    outcome: str
    """How it ended, such as ok, forbidden or failed."""
    count: int = 1
    """How many equal events this entry stands for."""
