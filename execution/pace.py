"""graphql-core's executor, made to let others run: a long list gives the event loop back every few rows.

graphql-core completes a list of ordinary values in one go; a thousand models with all their fields would hold every
other client up for a tenth of a second.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any, Final

from graphql import GraphQLList, GraphQLOutputType, GraphQLResolveInfo, get_named_type, is_composite_type
from graphql.execution import Executor as GraphQLExecutor
from graphql.pyutils import AwaitableOrValue, Path

ROWS_AT_ONCE: Final = 32
"""Rows that are completed before others may run: a few milliseconds."""


class PacedExecutor(GraphQLExecutor[Any]):
    """Hands long lists of objects over as asynchronous iterables, which graphql-core knows how to complete."""

    def complete_list_value(  # noqa: PLR0917 - graphql-core passes them by position
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_details_list: Any,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: AsyncIterable[Any] | Iterable[Any],
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        """Complete a list, a few rows at a time if it is long."""
        if (
            isinstance(result, list | tuple)
            and len(result) > ROWS_AT_ONCE
            and is_composite_type(get_named_type(return_type))
        ):
            result = _paced(result)
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)


async def _paced(rows: Iterable[Any]) -> AsyncIterator[Any]:
    for index, row in enumerate(rows):
        if index and index % ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)
        yield row
