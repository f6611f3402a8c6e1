"""The root field for the audit log."""

from catalogue.scope import Grant
from resolvers.admin import admin
from resolvers.context import Info
from resolvers.paging import LONGEST_PAGE, page_info, read_number, write_number
from schema.arguments import After, Newest, bounded
from schema.audit import AuditConnection, AuditEdge
from schema.declaration import resolved
from schema.policy import Policy, Reads


@resolved(
    AuditConnection,
    Policy(Reads.STORE | Reads.CALLER, rows=LONGEST_PAGE, slicing=("first",), sized_fields=("edges", "nodes")),
)
async def audit_log(info: Info, first: Newest = 100, after: After = None) -> AuditConnection:
    """The audit log, newest first. Requires a token with the scope `read`."""
    context = info.context
    log = context.services.audit
    with admin(context.scope, log, Grant.READ, "auditLog"):
        size = bounded("first", first, LONGEST_PAGE) or 0
        before = None if after is None else read_number(after, "after")
        entries = list(await log.audit_page(before, size + 1))
    page = entries[:size]
    cursors = [write_number(entry.seq) for entry in page]
    return AuditConnection(
        edges=[AuditEdge(cursor=c, node=e) for c, e in zip(cursors, page, strict=True)],
        nodes=page,
        page_info=page_info(cursors, previous=before is not None, following=len(entries) > size),
    )
