"""The image that the Dockerfile describes: built, looked through, and run.

`.ci/run` makes the base beforehand and names its folder in IMAGE_BASE; otherwise the base is made here. The build and
the container need root. Where that or a tool is missing the tests are skipped, but never in CI.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.image.buildah import Buildah
from tests.image.container import Container
from tests.image.pip_settings import PipSettings, pip_settings

pytestmark = pytest.mark.process

TOOLS = ("buildah", "debootstrap", "unshare", "nsenter", "ip")
ASK = """
import sys, urllib.request
body = sys.argv[2].encode() if sys.argv[2:] else None
request = urllib.request.Request(sys.argv[1], body, {"Content-Type": "application/json"})
print(urllib.request.urlopen(request, timeout=10).read().decode(), end="")
"""
"""A program that prints the answer to a GET, or to a POST of its second argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    base: Path
    root: Path
    description: dict[str, Any]
    pip: PipSettings

    def container(self) -> Container:
        return Container(self.root, self.description["config"])


def lacking() -> list[str]:
    return [tool for tool in TOOLS if not shutil.which(tool)] + (["root"] if os.geteuid() else [])


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    if missing := lacking():
        give_up = pytest.fail if os.environ.keys() & {"CI", "IMAGE_BASE"} else pytest.skip
        give_up(f"the image cannot be built without {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("image")
    try:
        base = Path(os.environ.get("IMAGE_BASE") or _made_base(folder / "base"))
        pip = pip_settings(**{"find-links": f"/nowhere/{uuid4()}"})
        buildah = Buildah(folder)
        buildah.build(base, pip)
        root, description = buildah.container()
        yield Image(base=base, root=root, description=description, pip=pip)
    finally:
        shutil.rmtree(folder)


def _made_base(folder: Path) -> Path:
    made = subprocess.run((Path(__file__).with_name("base.sh"), folder), capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


@pytest.fixture(scope="module")
def container(image: Image) -> Iterator[Container]:
    with image.container() as running:
        assert running.greeting.startswith("Model catalogue at "), "the server did not start; stderr says why"
        yield running


def ask(container: Container, path: str, *body: str) -> str:
    asked = container.execute("python", "-c", ASK, f"http://127.0.0.1:8000{path}", *body)
    assert asked.returncode == 0, asked.stderr
    return asked.stdout


def test_the_container_answers_without_a_network(container: Container) -> None:
    assert ask(container, "/readyz") == "ready\n"
    answer = json.loads(ask(container, "/graphql", json.dumps({"query": "{ catalogue { totalModels } }"})))
    assert answer["data"]["catalogue"]["totalModels"] > 0


def test_the_healthcheck_succeeds_once_the_container_is_ready(image: Image, container: Container) -> None:
    kind, *command = image.description["config"]["Healthcheck"]["Test"]
    assert kind == "CMD"
    checked = container.execute(*command)
    assert checked.returncode == 0, checked.stderr


def test_the_healthcheck_fails_where_no_server_listens(image: Image, container: Container) -> None:
    command = image.description["config"]["Healthcheck"]["Test"][1:]
    assert container.execute("env", "CATALOGUE_PORT=1", *command).returncode != 0


def test_the_container_runs_as_a_user_that_can_write_to_its_volume_only(container: Container) -> None:
    assert container.execute("id", "-u").stdout == "10001\n"
    assert container.execute("touch", "/data/written").returncode == 0
    assert container.execute("touch", "/app/written").returncode != 0
    assert container.execute("find", "/app", "/etc", "-uid", "10001").stdout == ""


def test_the_container_ends_well_when_it_is_stopped(image: Image) -> None:
    with image.container() as running:
        assert running.stop() == 0


def test_the_image_adds_the_program_and_its_volume_to_the_base_and_nothing_else(image: Image) -> None:
    compare = ("diff", "--recursive", "--brief", "--no-dereference", "--exclude=dev", "--exclude=proc")
    found = subprocess.run((*compare, image.base, image.root), capture_output=True, text=True, check=False)
    assert found.stdout.splitlines() == [f"Only in {image.root}: app", f"Only in {image.root}: data"]


def test_the_image_holds_what_the_server_runs_on_and_no_more(image: Image) -> None:
    held = {path.name for path in (image.root / "app").iterdir()}
    assert not held & {".git", ".ci", "benchmarks", "docs", "tests", "requirements-dev.lock"}
    installed = {path.name for path in (image.root / "app/.venv").glob("lib/*/site-packages/*")}
    assert not installed & {"pip", "setuptools", "pytest", "mypy"}


def test_the_image_says_nothing_of_where_this_machine_finds_packages(image: Image) -> None:
    places = image.pip.places()
    assert len(places) > 0
    described = json.dumps(image.description)
    assert not [place for place in places if place in described]
    search = ["grep", "--recursive", "--files-with-matches", "--fixed-strings", *(f"--regexp={it}" for it in places)]
    found = subprocess.run([*search, image.root / "app"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")
