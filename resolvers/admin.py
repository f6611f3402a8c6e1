"""Permission checks for admin actions, with an audit entry for each attempt."""

from collections.abc import Iterator
from contextlib import contextmanager

from catalogue.errors import ClientError, Forbidden, Unauthenticated
from catalogue.ports.audit import Audit
from catalogue.scope import Grant, Scope


@contextmanager
def admin(scope: Scope, audit: Audit, grant: Grant, action: str, target: str | None = None) -> Iterator[None]:
    """Run an admin action if the caller has the grant, and record its outcome in the audit log.

    The target of callers without a token is not recorded: they could fill the log with distinct entries.

    Raises:
        Unauthenticated: the caller sent no token.
        Forbidden: the token lacks the grant.
    """
    actor = scope.actor or scope.client
    target = target if scope.actor else None
    outcome = "failed"
    try:
        _check(scope, grant, action)
        yield
        outcome = "ok"
    except ClientError as error:
        outcome = error.code.lower()
        raise
    finally:
        audit.note(actor=actor, action=action, target=target, outcome=outcome)


def _check(scope: Scope, grant: Grant, action: str) -> None:
    if scope.actor is None:
        raise Unauthenticated(f"{action} is for admins: send a token in the header 'Authorization: Bearer …'.")
    if not scope.allows(grant):
        raise Forbidden(f"{action} needs a token with the scope '{grant.value}'.")
