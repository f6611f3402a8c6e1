"""An abuser in a process of its own: python -m tests.security.flooder URL HOST CONNECTIONS REQUESTS.

It asks from HOST as fast as it can, says when it is cut off for the first time, and at its end how often it got each
status.
"""

import asyncio
import json
import sys
from collections import Counter

import aiohttp

BODY = json.dumps({"query": "{ models(limit: 20) { id name } }"}).encode()
HEADERS = {"Content-Type": "application/json"}
PROMISED = ("Retry-After", "RateLimit", "RateLimit-Remaining", "RateLimit-Reset")
"""The headers that every refusal must carry."""


async def flood(url: str, host: str, connections: int, requests: int) -> Counter[str]:
    """Send so many requests over so many connections; the counts are by status, `mute` for a refusal without words."""
    seen: Counter[str] = Counter()
    left = iter(range(requests))
    connector = aiohttp.TCPConnector(local_addr=(host, 0), limit=connections)

    async def ask(session: aiohttp.ClientSession) -> None:
        for _ in left:
            async with session.post("/graphql", data=BODY, headers=HEADERS) as answer:
                await answer.read()
                seen[str(answer.status)] += 1
                if seen["429"] == 1:
                    print("cut off", flush=True)  # noqa: T201 - what was asked for
                if answer.status == 429 and not all(name in answer.headers for name in PROMISED):
                    seen["mute"] += 1

    async with aiohttp.ClientSession(url, connector=connector) as session:
        await asyncio.gather(*(ask(session) for _ in range(connections)))
    return seen


if __name__ == "__main__":
    url, host, connections, requests = sys.argv[1:]
    print(json.dumps(asyncio.run(flood(url, host, int(connections), int(requests)))))  # noqa: T201 - what was asked for
