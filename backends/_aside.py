"""What stands in a store's place is moved aside, with the files that SQLite keeps beside it: nothing is overwritten."""

import os
import re
from datetime import datetime
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
    return [found for suffix in _SIDES if os.path.lexists(found := side(path, suffix))]


def move_aside(path: Path, now: datetime) -> str:
    """Rename a store and its side files, and remove the oldest that were moved aside; returns what was done, in words.

    A process that ends in the midst leaves side files without a store, which the next start moves aside as well.
    """
    stamp, earlier = f"{now:%Y%m%dT%H%M%SZ}", _moved_aside(path)
    number = max((n for at, n in earlier if at == stamp), default=0) + 1
    kept = path.with_name(f"{path.name}.aside-{stamp}{f'-{number}' if number > 1 else ''}")
    for found in sides(path):
        found.rename(kept.with_name(kept.name + found.name.removeprefix(path.name)))
    oldest = [file for key in sorted(earlier)[: -(KEPT - 1)] for file in sorted(earlier[key]) if file.is_file()]
    for file in oldest:
        file.unlink()
    removed = f" (the newest {KEPT} are kept, removed: {', '.join(file.name for file in oldest)})" if oldest else ""
    return f"moved aside as {kept.name}{removed}"


def _moved_aside(path: Path) -> dict[tuple[str, int], list[Path]]:
    """The files of each store that was moved aside, by the second in which it was and its number within that second."""
    pattern = re.compile(rf"{re.escape(path.name)}\.aside-(\d{{8}}T\d{{6}}Z)(?:-(\d+))?({LOG}|{INDEX})?")
    found: dict[tuple[str, int], list[Path]] = {}
    for file in path.parent.iterdir():
        if match := pattern.fullmatch(file.name):
            found.setdefault((match[1], int(match[2] or 1)), []).append(file)
    return found
