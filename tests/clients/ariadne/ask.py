"""Asks with the generated client, and follows one change."""

import asyncio
import json
import sys

from catalogue_client import (  # type: ignore[import-not-found]  # generated beside this file before it runs
    Capability,
    CatalogueClient,
    GraphQLClientGraphQLMultiError,
)


def tell(**what: object) -> None:
    """Print one line of JSON; the test that runs the program reads them as they come."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def main(url: str) -> None:
    """Tell what the server answers, then what it pushes."""
    async with CatalogueClient(url, ws_url=url.replace("http", "ws", 1)) as client:
        picked = await client.pick(["openrouter"], [Capability.VISION])
        code = None
        try:
            await client.pick(["nobody"])
        except GraphQLClientGraphQLMultiError as refused:
            code = (refused.errors[0].extensions or {})["code"]
        tell(names=[model.name for model in picked.models], code=code)
        now = await client.now()
        tell(following=True)
        async for event in client.follow(now.catalogue.cursor):
            change = event.catalogue_changed
            if change.typename__ == "PriceChanged" and change.after:
                tell(event={"model": {"id": change.model.id}, "after": {"input": change.after.input}})
                return


asyncio.run(main(sys.argv[1]))
