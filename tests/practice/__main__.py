"""Runs the practice upstream by itself: python -m tests.practice --port 9000."""

import argparse
import asyncio
import contextlib
import sys

from tests.practice.control import routes
from tests.practice.upstream import PracticeUpstream

_HELP = """# Point a catalogue here with these settings, then break a provider while it runs:
#   curl -d '{{"provider": "openrouter", "fault": "hang"}}' {url}/_control    ("fault": null mends)
#   curl {url}/_control    the faults there are
#   curl {url}/_log        the requests seen
#   curl -T rows.json {url}/_list/openrouter    another list (or ?big=5000)
"""


async def _serve(port: int) -> None:
    upstream = PracticeUpstream(port)
    await upstream.start(*routes(upstream))
    sys.stdout.write(_HELP.format(url=f"http://127.0.0.1:{upstream.port}") + upstream.toml() + "\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await upstream.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9000, help="the port to listen on; 0 for any free one")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args().port))
