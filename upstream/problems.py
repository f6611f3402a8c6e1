"""Makes problems of providers. Every message is safe to show to anyone."""

from dataclasses import replace
from datetime import datetime
from enum import Enum

from catalogue.health import Problem
from catalogue.ports.revisions import Held
from catalogue.vocabulary import ProviderErrorCode
from upstream.errors import UpstreamError
from upstream.upstream import Upstream


def of_error(error: UpstreamError, *, at: datetime) -> Problem:
    """A call that failed."""
    return Problem(
        code=error.code, message=error.message, retryable=error.retryable, at=at, retry_after=error.retry_after
    )


def of_check(error: UpstreamError, *, at: datetime) -> Problem:
    """A health check that failed although the list can be had."""
    problem = of_error(error, at=at)
    return replace(problem, message=f"Its list can be read, but its health check fails: {problem.message}")


def of_held(held: Held, *, at: datetime) -> Problem:
    """A list that is held back or was discarded."""
    message = f"{held.quarantine.reason} It is held back until an admin decides."
    if held.discarded:
        message = "An admin discarded the provider's present list; the last good one is kept."
    return Problem(code=ProviderErrorCode.SUSPICIOUS, message=message, retryable=False, at=at)


def of_dropped(rows: int, *, at: datetime) -> Problem:
    """A list with rows that could not be read."""
    message = f"{rows} rows of the list could not be read and were left out."
    return Problem(code=ProviderErrorCode.MALFORMED, message=message, retryable=False, at=at)


def unconfigured(upstream: Upstream, *, at: datetime) -> Problem:
    """A provider without the key that it needs."""
    names = " or ".join(upstream.adapter.key_env) or "api_key_env in its configuration"
    message = f"{upstream.name} needs a key; set {names} where the server runs."
    return Problem(code=ProviderErrorCode.UNCONFIGURED, message=message, retryable=False, at=at)


class Fault(Enum):
    """An error of this server for which the provider is not at fault."""

    NOT_TAKEN = (ProviderErrorCode.MALFORMED, "The list could not be taken; see the server's log.")
    NOT_STORED = (ProviderErrorCode.REJECTED, "The list came but could not be stored; see the server's log.")
    STARVED = (ProviderErrorCode.UNREACHABLE, "The server has no resources left to call the provider; see its log.")

    def problem(self, at: datetime) -> Problem:
        """The problem that it is for readers."""
        code, message = self.value
        return Problem(code=code, message=message, retryable=True, at=at)
