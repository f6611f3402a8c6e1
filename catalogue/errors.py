"""The errors that a caller may see, drawn as a tree; anything else is an INTERNAL error with an id.

ClientError
├── BadUserInput        mend the named argument
│   └── UnknownProvider choose one of the named providers
├── Unauthenticated     send a valid token
├── Forbidden           ask for a token with the missing scope
├── RateLimited         wait, then send it again
├── NotStored           try again once the operator has mended the data folder
└── QueryTooComplex     ask for less at once
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar


class ClientError(Exception):
    """An expected error: its message is written for the caller and its code is part of the contract."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, **extensions: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = extensions

    @property
    def extensions(self) -> Mapping[str, object]:
        """The GraphQL error's `extensions`: the code and the details."""
        return {"code": self.code, **self.details}


class BadUserInput(ClientError):
    """An argument is wrong; the message names it and the remedy."""

    code = "BAD_USER_INPUT"


class UnknownProvider(BadUserInput):
    """No such provider; the message names the known ones."""

    code = "UNKNOWN_PROVIDER"

    def __init__(self, provider_id: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(f"Unknown provider {provider_id[:80]!r}. Known providers: {', '.join(names)}.", known=names)


class Unauthenticated(ClientError):
    """A token is missing or wrong."""

    code = "UNAUTHENTICATED"


class Forbidden(ClientError):
    """The token is valid and lacks a scope."""

    code = "FORBIDDEN"


class RateLimited(ClientError):
    """The caller's allowance is used up for now."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, retryAfter=retry_after)
        self.retry_after = retry_after


class NotStored(ClientError):
    """The server's store failed; nothing was done. The message names the remedy."""


class QueryTooComplex(ClientError):
    """The query would cost more than one request may."""

    code = "QUERY_TOO_COMPLEX"

    def __init__(self, cost: int, limit: int) -> None:
        super().__init__(
            f"This query costs {cost}; the limit is {limit}. Ask for fewer rows (limit, first) or fewer nested lists.",
            cost=cost,
            limit=limit,
        )
