"""What a log may show: one structlog processor that takes every secret out of every record.

Known secrets go wherever they stand, also quoted or escaped: the configured ones, and the ones that the present request
carries. What only looks like a secret goes by its shape or by the name before it. Records are bounded in depth and
length, stay on one line, and of an exception keep type, message and where it passed, by module and line.
"""

import json
import re
import sys
import traceback
from collections import deque
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote
from weakref import WeakSet

from pydantic import SecretStr

from catalogue.fingerprint import PREFIX

GONE = "[redacted]"
MIN_SECRET = 4
"""Shorter ones are left alone: taking them out would take out ordinary words."""
MAX_TEXT = 8_192
_MAX_INPUT = 65_536
_LONGEST_FORM = 4_096
_OURS = frozenset({"level", "logger", "timestamp"})
"""What stands in every record, from our own words: a caller whose key is one of them must not blot it out."""
_MAX_NAME = 128
_MAX_DEPTH = 4
_MAX_ITEMS = 20
_MAX_CARRIED = 64
_MAX_FRAMES = 12
_MAX_CAUSES = 5

_SENSITIVE = r"(?:api[-_]?)?keys?|tokens?|secret|passw(?:or)?d|authorization|cookie|credentials?"
_NAMED = re.compile(rf"(?:.*(?:[-_.]|(?-i:[a-z](?=[A-Z]))))?(?:{_SENSITIVE})", re.IGNORECASE)
_FINGERPRINT = rf"(?-i:[0-9a-f]{{{PREFIX}}})(?![\w-])"
"""How the audit log names a caller's key."""
_SHAPES = (
    (re.compile(r"(?<![A-Za-z0-9])(?:sk|pk|rk|rqy|xai|gsk|hf|ghp)[-_][A-Za-z0-9_-]{6,}"), GONE),
    (re.compile(r"(\b(?:bearer|basic)[\s:=]{1,4})[^\s\"',;]+", re.IGNORECASE), rf"\1{GONE}"),
    (re.compile(r"(://)[^/\s@\"'<>]{1,512}@"), rf"\1{GONE}@"),
    (re.compile(rf"([?&;][\w.-]{{0,40}}?(?:{_SENSITIVE}|sig|signature)=)[^&\s\"'#<>]+", re.IGNORECASE), rf"\1{GONE}"),
    (
        re.compile(
            rf"((?<![A-Za-z])(?:{_SENSITIVE})[\"']{{0,2}}\s{{0,4}}[:=]\s{{0,4}}[\"']{{0,2}})"
            rf"(?!{_FINGERPRINT})[^\s\"',;&}}]{{8,}}",
            re.IGNORECASE,
        ),
        rf"\1{GONE}",
    ),
    (re.compile(r"(?<![\w.@+/-])(?:/[\w.@+-]++)+/(?=[\w-]+\.py\b)"), ""),
)
"""What looks like a secret, and folders of this machine's sources; all in time linear in the text."""


class _Carried:
    """What one connection has brought, for as long as it or a task of it lives."""

    __slots__ = ("__weakref__", "secrets")

    def __init__(self) -> None:
        self.secrets: deque[str] = deque(maxlen=_MAX_CARRIED)


_carried: ContextVar[_Carried | None] = ContextVar("carried_secrets", default=None)
_living: WeakSet[_Carried] = WeakSet()


def begin_connection() -> None:
    """Begin a connection, which carries nothing yet; all tasks that it starts share what is carried later."""
    _carried.set(held := _Carried())
    _living.add(held)


def redact_in_connection(secrets: Iterable[str]) -> None:
    """Take these out of every record that the present connection's tasks write from now on.

    And out of every exception, whoever tells of it: that of a thread or of a lost task comes without its connection.
    """
    if _carried.get() is None:
        begin_connection()
    if held := _carried.get():
        held.secrets.extend(secrets)


class Redactor:
    """A structlog processor; `register` tells it secrets for good."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._known: tuple[str, ...] = ()

    def register(self, secrets: Iterable[SecretStr]) -> None:
        """Take these out of every record from now on."""
        self._secrets.update(secret.get_secret_value() for secret in secrets)
        self._known = _forms(self._secrets)

    def __call__(self, _logger: object, _method: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """Redact a record; a stack, which names files, is left out."""
        exception = _exception_of(record.get("exc_info"))
        known = self._known_here() if exception is None else self._known_anywhere()
        clean = {name: value if name in _OURS else _named(name, value, known) for name, value in record.items()}
        for name in ("exc_info", "stack_info"):
            clean.pop(name, None)
        if exception is not None:
            clean["exception"] = _text(_describe(exception), known)
        return clean

    def _known_here(self) -> tuple[str, ...]:
        carried = _carried.get()
        return _forms({*self._secrets, *carried.secrets}) if carried and carried.secrets else self._known

    def _known_anywhere(self) -> tuple[str, ...]:
        return _forms(self._secrets.union(*(carried.secrets for carried in list(_living))))


def _forms(secrets: Iterable[str]) -> tuple[str, ...]:
    """Every form that secrets take inside other texts, the longest first."""
    forms: set[str] = set()
    for secret in secrets:
        if len(secret) >= MIN_SECRET:
            once = {json.dumps(secret)[1:-1], repr(secret)[1:-1], *_escaped(secret)}
            twice = {escaped for form in once for escaped in _escaped(form)}
            forms |= {secret, quote(secret), quote(secret, safe=""), *once, *twice}
    return tuple(sorted(forms, key=len, reverse=True))


def _escaped(text: str) -> Iterable[str]:
    """How a text stands within quotes of either kind; a text that is quoted along with it may decide which."""
    doubled = text.replace("\\", "\\\\")
    return (doubled, doubled.replace("'", "\\'"), doubled.replace('"', '\\"'))


def _named(name: object, value: object, known: tuple[str, ...], depth: int = 0) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    is_secret = isinstance(name, str) and _NAMED.fullmatch(name[:_MAX_NAME])
    return GONE if is_secret else _value(value, known, depth)


def _value(value: object, known: tuple[str, ...], depth: int) -> object:
    if depth == _MAX_DEPTH and isinstance(value, Mapping | list | tuple | set | frozenset):
        return f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        items = list(value.items())[:_MAX_ITEMS]
        return {_text(_shown(name), known): _named(name, item, known, depth + 1) for name, item in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [_named(None, item, known, depth + 1) for item in list(value)[:_MAX_ITEMS]]
    return _text(_describe(value) if isinstance(value, BaseException) else _shown(value), known)


def _text(text: str, known: tuple[str, ...]) -> str:
    is_cut = len(text) > _MAX_INPUT
    text = text[:_MAX_INPUT]
    for form in known:
        text = text.replace(form, GONE)
    for shape, rest in _SHAPES:
        text = shape.sub(rest, text)
    # The cut may have halved a secret, which then nobody knows any more.
    return _one_line((text[:-_LONGEST_FORM] if is_cut else text)[:MAX_TEXT])


def _exception_of(info: object) -> BaseException | None:
    if info is True:
        info = sys.exc_info()
    if isinstance(info, tuple) and len(info) > 1:
        info = info[1]
    return info if isinstance(info, BaseException) else None


def _describe(error: BaseException) -> str:
    """Type, message and way of an exception and of what caused it."""
    told: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(told) < _MAX_CAUSES:
        told.append(_tell(cause))
        if isinstance(cause, BaseExceptionGroup):
            told.extend(_tell(part) for part in cause.exceptions[:_MAX_CAUSES])
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return " <- ".join(told)


def _tell(error: BaseException) -> str:
    frames = list(traceback.walk_tb(error.__traceback__))[-_MAX_FRAMES:]
    places = (f"{frame.f_globals.get('__name__', '?')}:{line}" for frame, line in frames)
    way = f" ({' > '.join(places)})" if frames else ""
    return f"{type(error).__name__}: {_shown(error)}{way}"


def _shown(value: object) -> str:
    try:
        return str(value) if isinstance(value, str | BaseException) else repr(value)
    except Exception:  # noqa: BLE001 - a log record must not fail because a value cannot be shown
        return f"<{type(value).__name__}>"


def _one_line(text: str) -> str:
    """Spell control characters out, so that no value can forge a record or move a terminal's cursor."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
