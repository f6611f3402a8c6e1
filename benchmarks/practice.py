"""The practice upstream in a process of its own, so that its work is not the measuring process's."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, Process
from typing import Self

import aiohttp


class PracticeProcess:
    """Plays any number of providers, each under a name; stopped when the block ends."""

    _process: Process

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.practice", "--port", "0", stdout=PIPE
        )
        said = self._process.stdout or asyncio.StreamReader()
        self.url = re.findall(r"http://127\.0\.0\.1:\d+", (await said.readuntil(b"/_control")).decode())[0]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await self._process.wait()

    async def list_models(self, provider: str, count: int) -> None:
        """Have a provider list as many models as asked for."""
        address = f"{self.url}/_list/{provider}?big={count}"
        async with aiohttp.ClientSession() as session, session.put(address, raise_for_status=True):
            pass

    def base_url(self, provider: str) -> str:
        """Return the base URL of a provider that is no OpenRouter and no Requesty."""
        return f"{self.url}/{provider}/v1"
