"""Reading the audit log, newest first."""

from catalogue.scope import Grant
from resolvers.admin import admin
from resolvers.info import Info
from resolvers.paging import LONGEST_PAGE, read_number, write_number
from schema.arguments import After, Newest, bounded
from schema.audit import AuditConnection, AuditEdge
from schema.connection import PageInfo


async def audit_log(info: Info, first: Newest = 100, after: After = None) -> AuditConnection:
    """A page of who did what."""
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
        page_info=PageInfo(
            has_next_page=len(entries) > size,
            has_previous_page=before is not None,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        ),
    )
