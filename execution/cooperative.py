"""graphql-core's executor with cooperative scheduling: operations take turns, a few rows or one search at a time.

graphql-core completes a list of plain values in one go: a thousand models with all fields would block other clients
for a tenth of a second. Here a turn starts a few rows, and awaits them before the next turn. A field that searches
models takes milliseconds whatever it returns, so it gets a turn of its own.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Any, Final

from graphql import GraphQLObjectType, get_named_type, is_composite_type
from graphql.execution import Executor as GraphQLExecutor
from graphql.pyutils import AwaitableOrValue, Path, gather_with_cancel

from schema.policy import policy_of

ROWS_AT_ONCE: Final = 32
"""Rows that one operation completes in a turn: a few milliseconds."""
SECONDS_AT_ONCE: Final = 0.005
"""Length of a turn with large rows; a waiting request needs several turns of the event loop."""


class CooperativeExecutor(GraphQLExecutor[Any]):
    """Executes one operation; operations that share the lock `turn` run one at a time.

    Nested lists become ready at the same moment, and the event loop would run all of them before anything else; the
    lock admits one at a time. Rows are awaited without the lock, since lists within them need it too.
    """

    def __init__(self, *arguments: Any, turn: asyncio.Lock, most_rows: int, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._turn = turn
        self._rows = 0
        self._room = most_rows

    @property
    def overfull(self) -> bool:
        """Whether the answer has too many rows and must be discarded."""
        return self._room < 0

    def close(self) -> None:
        """Break the reference cycle that would keep the operation in memory until a garbage collection, or forever."""
        self.async_helpers = None  # type: ignore[assignment]  # only abandoned work would still use them

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_details_list: Any, path: Path, position_context: Any
    ) -> AwaitableOrValue[Any]:
        """Resolve and complete a field, in a turn of its own if it searches models."""
        node = field_details_list[0].node
        if node.selection_set is not None:
            field = self.schema.get_field(parent_type, node.name.value)
            if field and policy_of(field).searches:
                return self._search_cooperatively(parent_type, source, field_details_list, path, position_context)
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    async def _search_cooperatively(self, *arguments: Any) -> Any:
        async with self._turn:
            await asyncio.sleep(0)
            self._rows = 0
            found = super().execute_field(*arguments)
        return await found if self.is_awaitable(found) else found

    def complete_list_value(  # noqa: PLR0917 - graphql-core passes them by position
        self, return_type: Any, field_details_list: Any, info: Any, path: Path, result: Any, position_context: Any
    ) -> AwaitableOrValue[list[Any]]:
        """Complete a list, in turns if many rows were completed since other operations last ran.

        Once the answer has too many rows, lists stay empty: an error would leave started work unawaited.
        """
        if isinstance(result, list | tuple) and is_composite_type(get_named_type(return_type)):
            self._room -= len(result)
            if self.overfull:
                result = []
            self._rows += len(result)
            if self._rows > ROWS_AT_ONCE:
                return self._complete_cooperatively(
                    result, path, return_type.of_type, field_details_list, info, position_context
                )
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    async def _complete_cooperatively(  # noqa: PLR0917 - the same
        self, rows: Sequence[Any], path: Path, item_type: Any, details: Any, info: Any, position: Any
    ) -> list[Any]:
        """Complete a few rows in each turn, and await them before the next turn."""
        completed: list[Any] = []
        while len(completed) < len(rows) and not self.overfull:
            waiting: list[int] = []
            async with self._turn:
                await asyncio.sleep(0)
                self._rows = 0
                began = perf_counter()
                try:
                    for row in rows[len(completed) : len(completed) + ROWS_AT_ONCE]:
                        place = path.add_key(len(completed), None)
                        if self.complete_list_item_value(row, completed, item_type, details, info, place, position):
                            waiting.append(len(completed) - 1)
                        if perf_counter() - began > SECONDS_AT_ONCE:
                            break
                except Exception:
                    self.settle_in_background([completed[index] for index in waiting])
                    raise
            found = await gather_with_cancel(*(completed[index] for index in waiting))
            for index, value in zip(waiting, found, strict=True):
                completed[index] = value
        return completed
