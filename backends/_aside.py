"""What stands in a store's place is moved aside, with the files that SQLite keeps beside it: nothing is overwritten."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, count
from pathlib import Path

KEPT = 5
"""How many stores stay aside: the one that mattered outlasts a few bad starts, and a disk does not fill with them."""
LOG, INDEX = "-wal", "-shm"
_SIDES = ("", LOG, INDEX)


def side(path: Path, suffix: str) -> Path:
    """The file that SQLite keeps beside a store under this suffix."""
    return path.with_name(path.name + suffix)


def sides(path: Path) -> list[Path]:
    """A store's file and those that SQLite keeps beside it, as far as they are there."""
    return [found for suffix in _SIDES if (found := side(path, suffix)).exists()]


def move_aside(path: Path, now: datetime) -> str:
    """Rename a store and its side files, and remove the oldest that were moved aside; returns what was done, in words.

    A process that ends in the midst leaves side files without a store, which the next start moves aside as well.
    """
    stem = f"{path.name}.aside-{now:%Y%m%dT%H%M%SZ}"
    names = (path.with_name(f"{stem}{suffix}") for suffix in chain([""], (f"-{n}" for n in count(2))))
    kept = next(name for name in names if not sides(name))
    for found in sides(path):
        found.rename(kept.with_name(kept.name + found.name.removeprefix(path.name)))
    removed = ", ".join(_removed(path))
    return f"moved aside as {kept.name}" + (f" (the newest {KEPT} are kept, removed: {removed})" if removed else "")


def _removed(path: Path) -> Iterator[str]:
    """Remove all but the newest stores that were moved aside, each with its side files."""
    pattern = re.compile(rf"{re.escape(path.name)}\.aside-(\d{{8}}T\d{{6}}Z)(?:-(\d+))?({LOG}|{INDEX})?")
    found: dict[tuple[str, int], list[Path]] = {}
    for file in path.parent.iterdir():
        if (match := pattern.fullmatch(file.name)) and file.is_file():
            found.setdefault((match[1], int(match[2] or 1)), []).append(file)
    for oldest in sorted(found)[:-KEPT]:
        for file in sorted(found[oldest]):
            file.unlink()
            yield file.name
