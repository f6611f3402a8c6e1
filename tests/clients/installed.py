"""Programs of other toolchains, run on what CLIENTS_DIR has installed for them.

The folder holds `javascript/node_modules` (what `javascript/package.json` here names) and `ariadne/bin` (a virtual
environment with `ariadne/requirements.txt`). `.ci/run` prepares it; what finds it missing is skipped.
"""

import asyncio
import json
import os
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
OPERATIONS = HERE / "operations.graphql"
"""What every client asks: Pick, Now and Follow."""
NODE = shutil.which("node") or "node"
INSTALLED = Path(os.environ.get("CLIENTS_DIR", "absent")).absolute()
MODULES = INSTALLED / "javascript" / "node_modules"
ARIADNE = INSTALLED / "ariadne" / "bin"
PATIENCE = 60.0
"""Seconds after which a program that says nothing has failed; they start slowly on a busy machine."""

needs_node = pytest.mark.skipif(
    not (MODULES.is_dir() and shutil.which("node")),
    reason="needs Node, and CLIENTS_DIR with javascript/node_modules",
)
needs_ariadne = pytest.mark.skipif(
    not ARIADNE.is_dir(), reason="needs CLIENTS_DIR with a virtual environment named ariadne"
)

Told = AsyncGenerator[dict[str, Any], None]


def javascript(folder: Path) -> Path:
    """Copy the JavaScript programs into a folder, the operations and their libraries beside them, and give it."""
    copied = Path(shutil.copytree(HERE / "javascript", folder / "javascript"))
    shutil.copy(OPERATIONS, copied)
    (copied / "node_modules").symlink_to(MODULES)
    return copied


@asynccontextmanager
async def started(folder: Path, *command: str | Path) -> AsyncIterator[Told]:
    """Start a program and give what it tells, a JSON document a line; once left it must have ended well."""
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=PIPE, stderr=PIPE)
    try:
        yield _told(process)
        _, complaint = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0, complaint.decode()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _told(process: Process) -> Told:
    assert process.stdout
    while line := await asyncio.wait_for(process.stdout.readline(), PATIENCE):
        yield json.loads(line)
    assert process.stderr
    raise AssertionError((await process.stderr.read()).decode())


async def output(folder: Path, *command: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Run a program to its good end and give what it printed."""
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=env, stdout=PIPE, stderr=PIPE)
    printed, complaint = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0, (printed + complaint).decode()
    return printed.decode()
