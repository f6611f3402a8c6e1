"""What only admins may do: each try is checked first and noted in the audit log with how it ended."""

from collections.abc import Iterator
from contextlib import contextmanager

from catalogue.errors import ClientError, Forbidden, Unauthenticated
from catalogue.ports.audit import Audit
from catalogue.scope import Grant, Scope


@contextmanager
def admin(scope: Scope, audit: Audit, grant: Grant, action: str, target: str | None = None) -> Iterator[None]:
    """Let a caller who holds the right through; `target` is noted of callers with a token alone.

    What strangers write would else make ever other entries.

    Raises:
        Unauthenticated: the caller sent no token.
        Forbidden: the token lacks the right.
    """
    actor = scope.actor or scope.client
    target = target if scope.actor else None
    try:
        _check(scope, grant, action)
        yield
    except ClientError as error:
        audit.note(actor=actor, action=action, target=target, outcome=error.code.lower())
        raise
    except BaseException:
        audit.note(actor=actor, action=action, target=target, outcome="failed")
        raise
    audit.note(actor=actor, action=action, target=target, outcome="ok")


def _check(scope: Scope, grant: Grant, action: str) -> None:
    if scope.actor is None:
        raise Unauthenticated(f"{action} is for admins: send a token in the header 'Authorization: Bearer …'.")
    if not scope.allows(grant):
        raise Forbidden(f"{action} needs a token with the scope '{grant.value}'.")
