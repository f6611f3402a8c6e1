"""The registry of adapters: every public module of the `providers` package declares one."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import providers
from providers._kit.adapter import Adapter


@cache
def adapters() -> Mapping[str, Adapter]:
    """Every adapter by id, in alphabetical order."""
    names = sorted(m.name for m in pkgutil.iter_modules(providers.__path__) if not m.name.startswith("_"))
    found = [importlib.import_module(f"{providers.__name__}.{name}").ADAPTER for name in names]
    return MappingProxyType({adapter.id: adapter for adapter in sorted(found, key=lambda a: a.id)})
