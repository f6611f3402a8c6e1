"""Cancels the work for a client that disconnects."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

T = TypeVar("T")


class ClientGone(Exception):
    """The client closed its connection before it had its answer."""


async def until_disconnect(receive: Receive) -> None:
    """Wait until the client closes the connection; anything that it sends after its body is dropped."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_connected(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """Do the work, or cancel it as soon as the client is gone.

    Raises:
        ClientGone: the client disconnected.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(until_disconnect(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
