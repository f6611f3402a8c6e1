"""The audit log as a Relay connection."""

from collections.abc import Sequence
from datetime import datetime

from catalogue.ports import audit
from schema.connection import PageInfo
from schema.declaration import field, output
from schema.policy import Reads


@output(Reads.STORE)
class AuditEntry:
    """An admin action, a rejected token, or the use of a caller's own key."""

    at: datetime = field("The time of the event.")
    actor: str = field(
        "The name of the token, `key:` and part of the key's fingerprint, or `address:` and the IP address."
    )
    action: str = field("The action, such as `refreshCatalogue`.")
    target: str | None = field("The target of the action, such as a provider's id. Null if there is none.")
    outcome: str = field("The outcome, such as `ok`, `forbidden` or `failed`.")
    count: int = field("The number of equal events that this entry represents.")


@output(Reads.STORE)
class AuditEdge:
    """An audit entry with its cursor."""

    cursor: str = field("The position of the entry in the audit log.")
    node: audit.AuditEntry = field("The entry.", graphql_type=AuditEntry)


@output(Reads.STORE)
class AuditConnection:
    """A page of the audit log, newest first."""

    edges: list[AuditEdge] = field("The entries of this page with their cursors.")
    nodes: Sequence[audit.AuditEntry] = field("The entries of this page.", graphql_type=list[AuditEntry])
    page_info: PageInfo = field("The position of this page in the audit log.")
