"""A structlog processor that redacts secrets from every log record.

Known secrets (configured ones, and those of the current connection) are redacted anywhere, also quoted or escaped.
Unknown ones are recognized by their shape or by the name before them. Records are bounded and stay on one line; an
exception keeps its type, its message and its stack as modules and lines.
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
"""Characters; shorter secrets are not redacted, since they may be ordinary words."""
MAX_TEXT = 8_192
_MAX_INPUT = 65_536
_LONGEST_FORM = 4_096
_OURS = frozenset({"level", "logger", "timestamp"})
"""Fields with our own words, which a caller's key of the same text must not redact."""
_DROPPED = frozenset({"exc_info", "stack_info"})
_CONTAINERS = (Mapping, list, tuple, set, frozenset)
_MAX_NAME = 128
_MAX_DEPTH = 4
_MAX_ITEMS = 20
_MAX_CARRIED = 64
_MAX_FRAMES = 12
_MAX_CAUSES = 5

_SENSITIVE = r"(?:api[-_]?)?keys?|tokens?|secret|passw(?:or)?d|authorization|cookie|credentials?"
_NAMED = re.compile(rf"(?:.*(?:[-_.]|(?-i:[a-z](?=[A-Z]))))?(?:{_SENSITIVE})", re.IGNORECASE)
_FINGERPRINT = rf"(?-i:[0-9a-f]{{{PREFIX}}})(?![\w-])"
"""The name of a caller's key in the audit log."""
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
"""Patterns of secrets and of local source paths; all match in time linear in the text."""


class _Connection:
    """The secrets of one connection, kept as long as the connection or one of its tasks."""

    __slots__ = ("__weakref__", "secrets")

    def __init__(self) -> None:
        self.secrets: deque[str] = deque(maxlen=_MAX_CARRIED)


_current: ContextVar[_Connection | None] = ContextVar("connection_secrets", default=None)
_open: WeakSet[_Connection] = WeakSet()


def begin_connection() -> _Connection:
    """Start a connection without secrets; all tasks that it starts share the secrets added later."""
    _current.set(connection := _Connection())
    _open.add(connection)
    return connection


def redact_in_connection(secrets: Iterable[str]) -> None:
    """Redact these secrets from records of the current connection's tasks.

    They are redacted from all exceptions too: one in a thread or a lost task is logged without its connection.
    """
    (_current.get() or begin_connection()).secrets.extend(secrets)


class Redactor:
    """A structlog processor that redacts registered and connection secrets."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._known: tuple[str, ...] = ()

    def register(self, secrets: Iterable[SecretStr]) -> None:
        """Redact these secrets from all records."""
        self._secrets.update(secret.get_secret_value() for secret in secrets)
        self._known = _forms(self._secrets)

    def __call__(self, _logger: object, _method: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """Redact a record and drop `stack_info`, which names files."""
        exception = _exception_of(record.get("exc_info"))
        current = _current.get()
        carried = list(_open) if exception is not None else [current] if current and current.secrets else []
        known = _forms(self._secrets.union(*(connection.secrets for connection in carried))) if carried else self._known
        shown = {name: value for name, value in record.items() if name not in _DROPPED}
        clean = {name: value if name in _OURS else _value(value, known, name) for name, value in shown.items()}
        return clean if exception is None else {**clean, "exception": _text(_describe(exception), known)}


def _forms(secrets: Iterable[str]) -> tuple[str, ...]:
    """Every form of secrets inside other texts, longest first."""
    forms: set[str] = set()
    for secret in secrets:
        if len(secret) >= MIN_SECRET:
            once = {json.dumps(secret)[1:-1], repr(secret)[1:-1], *_escaped(secret)}
            twice = {escaped for form in once for escaped in _escaped(form)}
            forms |= {secret, quote(secret), quote(secret, safe=""), *once, *twice}
    return tuple(sorted(forms, key=len, reverse=True))


def _escaped(text: str) -> Iterable[str]:
    """The forms of a text inside quotes of either kind; the text around it may decide the kind."""
    doubled = text.replace("\\", "\\\\")
    return (doubled, doubled.replace("'", "\\'"), doubled.replace('"', '\\"'))


def _value(value: object, known: tuple[str, ...], name: object = None, depth: int = 0) -> object:
    """Redact a value, all of it if its name says that it is secret."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(name, str) and _NAMED.fullmatch(name[:_MAX_NAME]):
        return GONE
    if depth == _MAX_DEPTH and isinstance(value, _CONTAINERS):
        return f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        items = list(value.items())[:_MAX_ITEMS]
        return {_text(_shown(key), known): _value(item, known, key, depth + 1) for key, item in items}
    if isinstance(value, _CONTAINERS):
        return [_value(item, known, depth=depth + 1) for item in list(value)[:_MAX_ITEMS]]
    return _text(_describe(value) if isinstance(value, BaseException) else _shown(value), known)


def _text(text: str, known: tuple[str, ...]) -> str:
    is_cut = len(text) > _MAX_INPUT
    text = text[:_MAX_INPUT]
    for form in known:
        text = text.replace(form, GONE)
    for shape, rest in _SHAPES:
        text = shape.sub(rest, text)
    # The cut may have split a secret, whose rest would not be recognized.
    return _one_line((text[:-_LONGEST_FORM] if is_cut else text)[:MAX_TEXT])


def _exception_of(info: object) -> BaseException | None:
    if info is True:
        info = sys.exc_info()
    if isinstance(info, tuple) and len(info) > 1:
        info = info[1]
    return info if isinstance(info, BaseException) else None


def _describe(error: BaseException) -> str:
    """Type, message and stack of an exception and its causes."""
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(parts) < _MAX_CAUSES:
        parts.append(_describe_one(cause))
        if isinstance(cause, BaseExceptionGroup):
            parts.extend(_describe_one(part) for part in cause.exceptions[:_MAX_CAUSES])
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return " <- ".join(parts)


def _describe_one(error: BaseException) -> str:
    frames = list(traceback.walk_tb(error.__traceback__))[-_MAX_FRAMES:]
    places = (f"{frame.f_globals.get('__name__', '?')}:{line}" for frame, line in frames)
    stack = f" ({' > '.join(places)})" if frames else ""
    return f"{type(error).__name__}: {_shown(error)}{stack}"


def _shown(value: object) -> str:
    try:
        return str(value) if isinstance(value, str | BaseException) else repr(value)
    except Exception:  # noqa: BLE001 - a log record must not fail because a value cannot be shown
        return f"<{type(value).__name__}>"


def _one_line(text: str) -> str:
    """Escape control characters, so that a value cannot forge a record or control the terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
