"""Who did what, a page at a time."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from catalogue import audit
from schema.connection import PageInfo
from schema.policy import Reads, default_reads


@default_reads(Reads.STORE)
@strawberry.type(description="One admin action, rejected authentication, or aggregated use of a caller's key.")
class AuditEntry:
    """An `AuditEntry` of the catalogue."""

    at: datetime = strawberry.field(description="When it happened.")
    actor: str = strawberry.field(description="The token's name, the prefix of a key's fingerprint, or an address.")
    action: str = strawberry.field(description="What was asked, such as refreshCatalogue.")
    target: str | None = strawberry.field(description="On what it was asked, such as a provider's id.")
    outcome: str = strawberry.field(description="How it ended, such as ok, forbidden or failed.")
    count: int = strawberry.field(description="How many equal events this entry stands for.")


@default_reads(Reads.STORE)
@strawberry.type(description="An audit entry with its position in the log.")
class AuditEdge:
    """Relay's edge."""

    cursor: str = strawberry.field(description="The position of this entry in the audit log.")
    node: audit.AuditEntry = strawberry.field(graphql_type=AuditEntry, description="The entry.")


@default_reads(Reads.STORE)
@strawberry.type(description="A page of the audit log, newest first.")
class AuditConnection:
    """Relay's connection; counting the whole log is nobody's need."""

    edges: list[AuditEdge] = strawberry.field(description="The entries of this page with their positions.")
    nodes: Sequence[audit.AuditEntry] = strawberry.field(
        graphql_type=list[AuditEntry], description="The entries of this page."
    )
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
