"""What programs that know the protocols say of the server's own stack.

They need Node and the folder `CONFORMANCE_DIR`: the conformance programs with their `node_modules`.
"""

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.conformance_app import Events, app_over
from tests.protocols.ws_world import serving

FOLDER = os.environ.get("CONFORMANCE_DIR")
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    NODE is None or FOLDER is None or not Path(FOLDER, "node_modules").is_dir(),
    reason="needs Node, and CONFORMANCE_DIR with the conformance programs and their node_modules",
)


@pytest.mark.parametrize(
    ("program", "scheme", "flags", "required"),
    [
        ("audit.mjs", "http", ["--edition", "2026"], {"MUST": (13, 13), "SHOULD": (22, 22), "MAY": (7, 7)}),
        ("http2026.mjs", "http", [], {"MUST": (20, 20), "SHOULD": (26, 27)}),
        ("sse_conformance.mjs", "http", [], {"MUST": (15, 15), "SHOULD": (8, 8)}),
        ("ws_conformance.mjs", "ws", [], {"MUST": (49, 49), "SHOULD": (10, 10)}),
    ],
)
async def test_a_conformance_program_is_satisfied(
    program: str, scheme: str, flags: list[str], required: dict[str, tuple[int, int]]
) -> None:
    async with serving(app_over(Events())) as (_, port):
        url = f"{scheme}://127.0.0.1:{port}/graphql"
        stats = ["--stats", f"http://127.0.0.1:{port}/stats"]
        process = await asyncio.create_subprocess_exec(
            str(NODE), program, url, *flags, *stats, cwd=FOLDER, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(120):
            printed = (await process.communicate())[0].decode()
    tally = {level: (int(ok), int(of)) for level, ok, of in re.findall(r"(MUST|SHOULD|MAY) (\d+)/(\d+)", printed)}
    for level, (at_least, of) in required.items():
        assert tally[level][1] == of, printed
        assert tally[level][0] >= at_least, printed
