"""How pip finds packages on this machine, for a build that is to find them in the same way."""

import ast
import configparser
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class PipSettings:
    """pip's options by section and name, from its files and its environment."""

    sections: Mapping[str, Mapping[str, str]]

    def places(self) -> set[str]:
        """Every URL and path in them: what says where this machine finds packages and certificates."""
        words = (word for options in self.sections.values() for value in options.values() for word in value.split())
        return {word for word in words if "/" in word}

    def mounts(self) -> Iterator[str]:
        """Give what a build has to mount at its own path, read-only, in the words of `buildah --volume`."""
        for place in sorted(self.places()):
            # The pages of an index in a folder name files beside that folder.
            path = Path(urlsplit(place).path).parent if place.startswith("file:") else Path(place)
            if path.is_absolute() and path.exists():
                yield f"{path.resolve()}:{path}:ro"

    def write(self, file: Path) -> None:
        """Write them as a configuration file."""
        parser = configparser.RawConfigParser()
        parser.read_dict(self.sections)
        with file.open("w") as text:
            parser.write(text)


def pip_settings(**more: str) -> PipSettings:
    """Read this machine's, and add options to `global`."""
    listed = subprocess.run((sys.executable, "-m", "pip", "config", "list"), capture_output=True, text=True, check=True)
    usual: dict[str, dict[str, str]] = {}
    from_environment: dict[str, str] = {}
    for line in listed.stdout.splitlines():
        place, value = line.split("=", 1)
        section, name = place.rsplit(".", 1)
        if section == ":env:":
            from_environment[name] = ast.literal_eval(value)
        else:
            usual.setdefault(section, {})[name] = ast.literal_eval(value)
    cert = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    certified = {"cert": cert} if cert else {}
    return PipSettings(usual | {"global": certified | usual.get("global", {}) | from_environment | more})
