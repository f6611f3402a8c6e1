"""Which of our functions run between two moments, in every thread."""

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = tuple(sorted(path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"))
BESIDE = ("polling/history.py", "backends/_health.py", "catalogue/history.py")
_OURS = tuple(f"{ROOT / package}{os.sep}" for package in PACKAGES)


class Way:
    """Notes the first call of each of our functions, in every thread, between two moments."""

    def __init__(self) -> None:
        self.places: dict[CodeType, bool] = {}
        """By function in the order of the first call, whether it calls another file."""
        self._begin: Callable[[CodeType], bool] | None = None
        self._end: Callable[[CodeType, str], bool] | None = None
        self._is_under_way = False

    def arm(self, begin: Callable[[CodeType], bool], end: Callable[[CodeType, str], bool]) -> None:
        """Note from the first call that begins the way to the first call or return that ends it."""
        self.places, self._begin, self._end = {}, begin, end

    @property
    def is_whole(self) -> bool:
        """Whether the way has begun and ended since it was armed."""
        return bool(self.places) and not self._is_under_way and self._begin is None

    def profile(self, frame: FrameType, event: str, _: Any) -> None:
        """Take down a call; for `sys.setprofile`."""
        code = frame.f_code
        if event == "call" and self._begin is not None and self._begin(code):
            self._begin, self._is_under_way = None, True
        if self._is_under_way and self._end is not None and self._end(code, event):
            self._is_under_way = False
        if self._is_under_way and event == "call" and _is_ours(code):
            self.places.setdefault(code, False)
            caller = _caller(frame)
            if caller in self.places and caller.co_filename != code.co_filename:
                self.places[caller] = True


def _caller(frame: FrameType) -> CodeType | None:
    """Return our function that called one, if any did; a function of a library may be between."""
    back = frame.f_back
    while back is not None and not _is_ours(back.f_code):
        back = back.f_back
    return back.f_code if back else None


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(_OURS) and not code.co_filename.endswith(BESIDE)


def is_in(code: CodeType, folder: str) -> bool:
    """Whether a function stands in one of our folders."""
    return code.co_filename.startswith(str(ROOT / folder) + os.sep)


def properties() -> set[CodeType]:
    """Return the code of every property of our classes."""
    found: set[CodeType] = set()
    for module in list(sys.modules.values()):
        if module.__name__.partition(".")[0] in PACKAGES:
            for kind in vars(module).values():
                if inspect.isclass(kind) and kind.__module__.partition(".")[0] in PACKAGES:
                    found.update(_properties_of(kind))
    return found


def _properties_of(kind: type) -> Iterator[CodeType]:
    for member in vars(kind).values():
        if isinstance(member, property) and hasattr(member.fget, "__code__"):
            yield member.fget.__code__
        elif isinstance(member, functools.cached_property):
            yield member.func.__code__
