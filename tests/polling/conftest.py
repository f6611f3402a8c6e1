"""Worlds of one provider, with a key of the server's and without."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.polling.one_provider import GOOD_KEY, World, world


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
async def keyed(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, key=GOOD_KEY) as made:
        yield made
