"""The server as it is shipped, with some calls counted: `python benchmarks/counted.py FOLDER NAME,NAME serve ...`.

A name is a class, a function, a property or a cached property by its dotted path (`catalogue.listing.Listing`); each
call is counted, of a class each object made. With `:argument` the length of that keyword argument is added instead.
Each name has a file in the folder, one byte longer for each count. A name that does not exist ends the program:
its count would be 0 whatever happened.
"""

import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from server.cli import main


def command(folder: Path, names: list[str]) -> tuple[str, ...]:
    """Return the command that starts the server with these names counted in a folder."""
    return (sys.executable, __file__, str(folder), ",".join(names))


def counts(folder: Path) -> Mapping[str, int]:
    """Return the counts so far, by name."""
    return {file.name: file.stat().st_size for file in sorted(folder.iterdir())}


def _count(folder: Path, name: str) -> None:
    path, _, argument = name.partition(":")
    module, attribute = path.rsplit(".", 1)
    try:
        owner: Any = importlib.import_module(module)
    except ModuleNotFoundError:  # a member of a class
        module, _, class_name = module.rpartition(".")
        owner = getattr(importlib.import_module(module), class_name)
    target = vars(owner)[attribute]
    file = (folder / name).open("ab", buffering=0)

    def count(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            file.write(b"." * (len(kwargs[argument]) if argument else 1))
            return function(*args, **kwargs)

        return counted

    if isinstance(target, type):
        made: Any = target
        made.__init__ = count(made.__init__)
    elif isinstance(target, functools.cached_property):
        target.func = count(target.func)
    elif isinstance(target, property) and target.fget:
        setattr(owner, attribute, property(count(target.fget)))
    else:
        setattr(owner, attribute, count(target))


if __name__ == "__main__":
    _, given, listed, *words = sys.argv
    for each in listed.split(","):
        _count(Path(given), each)
    sys.argv[1:] = words
    main()
