"""A plain client of a practice upstream, and what it got."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from tests.practice.upstream import PracticeUpstream

SECONDS = aiohttp.ClientTimeout(total=30)


@dataclass
class Got:
    """An answer, read to the end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.json["data"]]


@dataclass
class Client:
    """A plain client of one practice upstream that follows no redirect."""

    session: aiohttp.ClientSession
    upstream: PracticeUpstream

    async def get(self, name: str, path: str = "/models", **headers: str) -> Got:
        url = path if path.startswith("http") else self.upstream.base_url(name) + path
        async with self.session.get(url, headers=headers, allow_redirects=False) as response:
            return Got(response.status, response.headers, await response.read())

    async def read(self, name: str, at_most: int) -> int:
        """Read the list's body, at most so many bytes, and give how many came."""
        async with self.session.get(self.upstream.base_url(name) + "/models") as response:
            total = 0
            while total < at_most and (chunk := await response.content.read(65_536)):
                total += len(chunk)
            response.close()
            return total


def key(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}
