"""What goes to the build of the image, checked where the image itself cannot be built."""

import tomllib

from tests.image.buildah import ROOT


def test_every_package_of_the_program_goes_into_the_image() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {pattern.rstrip("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert packages <= {line.removeprefix("!") for line in lines if line.startswith("!")}
