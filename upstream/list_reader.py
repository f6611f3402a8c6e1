"""Reading one provider's list: fetched whole, with the server's key or without, and parsed unless it is known."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from catalogue.facts import ModelFacts
from catalogue.vocabulary import RefreshStep
from upstream.call_rate import Priority
from upstream.calls import CallPolicy, CallSource
from upstream.errors import TimedOut, Unauthorized, UpstreamError
from upstream.lists import FetchedList, Validators, fetch_list
from upstream.parse import ParsedList
from upstream.parsing import Parser
from upstream.server_key import ServerKey
from upstream.upstream import Upstream

_PAGE_BUDGET = 60.0
"""Seconds for one page of a list with its retries."""
_LIST_SECONDS = 180.0
"""Seconds for all pages of a list."""
_ADMINS_PATIENCE = 3.0
"""After so many seconds an admin's refresh begins no new try, so that its reason is told within those of a refresh."""


class Tell(Protocol):
    """Is told how far the reading has come."""

    def __call__(self, step: RefreshStep, *, received: int | None = None) -> None:
        """Pass one step on; `received` counts bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRead:
    """A list as read."""

    fetched: FetchedList
    parsed: ParsedList | None
    """Null where it is the list that was taken last."""
    with_key: bool


class ListReader:
    """Reads the list, and remembers which one was taken last."""

    def __init__(self, *, upstream: Upstream, calls: CallSource, key: ServerKey, parser: Parser, tell: Tell) -> None:
        self._upstream = upstream
        self._calls = calls
        self._key = key
        self._parser = parser
        self._tell = tell
        self._validators: Validators | None = None
        self._digest = b""
        self._met: UpstreamError | None = None

    async def read(self, priority: Priority, *, known: Mapping[str, ModelFacts]) -> ListRead:
        """The list as the provider says it now; rows equal to `known` ones are given as these. Raises UpstreamError."""
        self._tell(RefreshStep.FETCHING)
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                fetched, with_key = await self._fetched(priority)
        except TimeoutError:
            raise TimedOut(f"The list of {self._upstream.name} did not come within {_LIST_SECONDS:g} s.") from None
        same = fetched.not_modified or fetched.digest == self._digest
        parsed = None if same else await self._parsed(fetched, known)
        return ListRead(fetched=fetched, parsed=parsed, with_key=with_key)

    def took(self, read: ListRead) -> None:
        """This list was taken: when it comes again it need not be parsed."""
        self._validators = read.fetched.validators
        self._digest = read.fetched.digest or self._digest

    def forget(self) -> None:
        """Another list than the one taken last is served by now: that one coming back is news."""
        self._validators, self._digest = None, b""

    def begin(self) -> None:
        """Forget the trouble of the flight before."""
        self._met = None

    def trouble(self) -> UpstreamError:
        """What the present flight has met so far: the last try that failed, or that nothing whole has come yet."""
        return self._met or TimedOut(f"{self._upstream.name} has not answered in full yet.")

    async def _fetched(self, priority: Priority) -> tuple[FetchedList, bool]:
        urgent = priority is Priority.ADMIN
        policy = CallPolicy(
            priority=priority,
            budget=_PAGE_BUDGET,
            patience=_ADMINS_PATIENCE if urgent else _PAGE_BUDGET,
            received=self._received,
            failing=self._failing,
        )
        call = self._calls.at(policy)
        key = self._key.usable(urgent=urgent)
        try:
            fetched = await fetch_list(self._upstream, call, key=key, validators=self._validators)
        except Unauthorized as error:
            if key is None:
                raise
            self._key.refused(error)
            if self._upstream.adapter.needs_key:
                raise
            return await fetch_list(self._upstream, call, key=None), False
        if key is not None:
            self._key.accepted()
        return fetched, key is not None

    async def _parsed(self, fetched: FetchedList, known: Mapping[str, ModelFacts]) -> ParsedList:
        self._tell(RefreshStep.READING, received=sum(map(len, fetched.bodies)))
        return await self._parser.parse(self._upstream, fetched.bodies, known=known)

    def _failing(self, error: UpstreamError) -> None:
        self._met = error

    def _received(self, count: int) -> None:
        self._tell(RefreshStep.FETCHING, received=count)
