"""The Dockerfile's image, built by buildah: no engine runs, and the machine's own images stay as they are."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.image.pip_settings import PipSettings

ROOT = Path(__file__).parents[2]
BASE, IMAGE = "localhost/base", "localhost/catalogue"


class Buildah:
    """Images and containers in one folder."""

    def __init__(self, folder: Path) -> None:
        storage = ("--root", str(folder / "storage"), "--runroot", str(folder / "run"), "--storage-driver", "vfs")
        self._command = ("buildah", *storage)
        self._folder = folder

    def run(self, *words: str | Path) -> str:
        """Run one of buildah's commands and give what it printed."""
        env = os.environ | {"BUILDAH_ISOLATION": "chroot", "TMPDIR": str(self._folder)}
        done = subprocess.run((*self._command, *words), env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def build(self, base: Path, pip: PipSettings) -> None:
        """Build the image on a base, with this machine's pip settings mounted for the build only."""
        scratch = self.run("from", "scratch")
        self.run("add", "--quiet", scratch, base, "/")
        self.run("commit", "--quiet", "--rm", scratch, BASE)
        settings = self._folder / "pip.conf"
        pip.write(settings)
        volumes = [f"--volume={mount}" for mount in (f"{settings}:/etc/pip.conf:ro", *pip.mounts())]
        # The format of Docker is the one that has room for HEALTHCHECK.
        named = ("--format=docker", "--pull-never", f"--build-arg=BASE={BASE}", f"--tag={IMAGE}")
        self.run("build", *named, *volumes, ROOT)

    def container(self) -> tuple[Path, dict[str, Any]]:
        """Make a container of the image; give the folder of its files, and the image's configuration."""
        name = self.run("from", "--pull-never", IMAGE)
        return Path(self.run("mount", name)), json.loads(self.run("inspect", name))["Docker"]
