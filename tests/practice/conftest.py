"""A practice upstream for each test, and a client of it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio

from tests.practice.client import SECONDS, Client
from tests.practice.upstream import PracticeUpstream


@pytest_asyncio.fixture
async def upstream() -> AsyncIterator[PracticeUpstream]:
    async with PracticeUpstream() as server:
        yield server


@pytest_asyncio.fixture
async def client(upstream: PracticeUpstream) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession(timeout=SECONDS) as session:
        yield Client(session, upstream)
