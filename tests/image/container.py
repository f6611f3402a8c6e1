"""A container without an engine: the image's command as process 1, without a network, on a read-only root."""

import subprocess
from pathlib import Path
from typing import Any, Self

import psutil

PATIENCE = 30.0
"""Seconds after which a program that says nothing has failed."""
START = """
mount --bind "$1" "$1"
mount -t tmpfs -o "$(stat --format mode=%a,uid=%u,gid=%g "$1/data")" data "$1/data"
mount -o remount,bind,ro "$1"
mount -t proc proc "$1/proc"
mount --bind /dev "$1/dev"
ip link set lo up
root=$1 user=$2
shift 2
exec chroot --userspec="$user" "$root" "$@"
"""
"""What an engine does with `--read-only --network none` and a volume for /data."""


class Container:
    """One run of an image's command, with the environment and the user that its configuration names."""

    def __init__(self, root: Path, config: dict[str, Any]) -> None:
        self._user = config["User"]
        self._env = ("env", "--ignore-environment", f"--chdir={config['WorkingDir']}", *config["Env"])
        apart = ("unshare", "--mount", "--net", "--pid", "--fork")
        self._command = (*apart, "sh", "-euc", START, "sh", root, self._user, *self._env, *config["Cmd"])

    def __enter__(self) -> Self:
        """Start it and wait until it says that it listens."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.greeting = self._process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            for process in self._children():
                process.kill()

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as `docker exec` does."""
        user, group = self._user.split(":")
        inside = ("--mount", "--net", "--pid", "--root", f"--setuid={user}", f"--setgid={group}")
        entered = ("nsenter", f"--target={self._first().pid}", *inside, *self._env, *command)
        return subprocess.run(entered, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def stop(self) -> int:
        """Ask it to end, as `docker stop` does, and give its exit code."""
        self._first().terminate()
        return self._process.wait(PATIENCE)

    def _first(self) -> psutil.Process:
        (first,) = self._children()
        return first

    def _children(self) -> list[psutil.Process]:
        return psutil.Process(self._process.pid).children() if self._process.poll() is None else []
