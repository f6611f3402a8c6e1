"""What programs that know the protocols say of the server's own stack.

They need Node and the folder `CONFORMANCE_DIR`: the conformance programs with their `node_modules`. Most of their time
is waiting, so all of them run beside one another, each with a server of its own.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from tests.small.app import conformance_app
from tests.small.over_sockets import serving

FOLDER = os.environ.get("CONFORMANCE_DIR")
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.process,
    pytest.mark.skipif(
        NODE is None or FOLDER is None or not Path(FOLDER, "node_modules").is_dir(),
        reason="needs Node, and CONFORMANCE_DIR with the conformance programs and their node_modules",
    ),
]

INIT_SECONDS = 1.0
"""How long the server waits for `connection_init`; a program waits it out."""
ENDLESS = "subscription { events }"
COMMANDS = {
    "audit.mjs": ("http", "--edition", "2026"),
    "http2026.mjs": ("http",),
    "sse_conformance.mjs": ("http", "--endless", ENDLESS),
    "ws_conformance.mjs": ("ws", "--endless", ENDLESS, "--init-timeout", str(INIT_SECONDS)),
}
"""The scheme that a program asks by, and its flags."""

Running = Mapping[str, asyncio.Task[str]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Running]:
    programs = {program: asyncio.create_task(said_by(program, *command)) for program, command in COMMANDS.items()}
    yield programs
    await asyncio.gather(*programs.values(), return_exceptions=True)


async def said_by(program: str, scheme: str, *flags: str) -> str:
    """Run a program to its end and give what it printed."""
    async with serving(conformance_app(init_seconds=INIT_SECONDS)) as (_, port), asyncio.timeout(120):
        stats = ("--stats", f"http://127.0.0.1:{port}/stats")
        process = await asyncio.create_subprocess_exec(
            str(NODE),
            *(program, f"{scheme}://127.0.0.1:{port}/graphql", *flags, *stats),
            cwd=FOLDER,
            stdout=asyncio.subprocess.PIPE,
        )
        return (await process.communicate())[0].decode()


@pytest.mark.parametrize(
    ("program", "required"),
    [
        ("audit.mjs", {"MUST": (13, 13), "SHOULD": (22, 22), "MAY": (7, 7)}),
        ("http2026.mjs", {"MUST": (20, 20), "SHOULD": (26, 27)}),
        ("sse_conformance.mjs", {"MUST": (15, 15), "SHOULD": (8, 8)}),
        ("ws_conformance.mjs", {"MUST": (49, 49), "SHOULD": (10, 10)}),
    ],
)
async def test_a_conformance_program_is_satisfied(
    running: Running, program: str, required: dict[str, tuple[int, int]]
) -> None:
    printed = await running[program]
    tally = {level: (int(ok), int(of)) for level, ok, of in re.findall(r"(MUST|SHOULD|MAY) (\d+)/(\d+)", printed)}
    for level, (at_least, of) in required.items():
        assert tally[level][1] == of, printed
        assert tally[level][0] >= at_least, printed
