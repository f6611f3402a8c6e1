"""Redacts the secrets of a request from its response, so that a provider that echoes a key does not publish it."""

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from upstream.errors import Malformed

GONE = b"[redacted]"
_SHORTEST = 16
"""Characters; a shorter value is a placeholder such as `ollama`, which may be part of a model's name."""
_PLAIN = frozenset({"accept", "if-modified-since", "if-none-match", "user-agent"})
_ESCAPE = rb"\u00"
_MOST_ESCAPES = 500_000
"""Escapes in one response; a list of models has far fewer, and more would take too long to search."""
_CHARACTERS = {b"%02x" % code: json.dumps(chr(code))[1:-1].encode() for code in range(0x20, 0x80)}
"""The shortest JSON spelling of each ASCII character, by the last two digits of its `\\u00xx` escape."""


def secret_forms(headers: Mapping[str, str]) -> tuple[bytes, ...]:
    """Every form in which a JSON response may repeat the secrets of a request's headers, longest first."""
    forms: set[str] = set()
    for name, value in headers.items():
        secret = value.rpartition(" ")[2]
        if name.lower() not in _PLAIN and len(secret) >= _SHORTEST:
            escaped = json.dumps(secret)[1:-1]
            forms |= {secret, escaped, escaped.replace("/", r"\/"), *_quoted(secret)}
    return tuple(form.encode("utf-8", "surrogatepass") for form in sorted(forms, key=len, reverse=True))


def _quoted(secret: str) -> Iterable[str]:
    for safe in ("/", ""):
        quoted = quote(secret, safe=safe, errors="surrogatepass")
        yield quoted
        yield re.sub("%..", lambda sign: sign[0].lower(), quoted)


def redact(text: bytes, secrets: Iterable[bytes]) -> bytes:
    """Replace secrets in a text; returns the same object if it has none. Raises Malformed for too many escapes."""
    secrets = tuple(secrets)
    if secrets and _ESCAPE in text:
        unescaped = _unescaped(text)
        text = unescaped if any(secret in unescaped for secret in secrets) else text
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, GONE)
    return text


def redacted_headers(headers: Mapping[str, str], secrets: Iterable[bytes]) -> dict[str, str]:
    """Replace secrets in the values of response headers; names are returned in lower case."""
    return {
        name.lower(): redact(value.encode("utf-8", "surrogateescape"), secrets).decode("utf-8", "surrogateescape")
        for name, value in headers.items()
    }


def _unescaped(text: bytes) -> bytes:
    """The text without needless escapes, which some encoders use for characters such as `&` and `<`."""
    if text.count(_ESCAPE) > _MOST_ESCAPES:
        raise Malformed(f"The provider's response has more than {_MOST_ESCAPES:,} escapes.")
    before, *rest = text.split(_ESCAPE)
    parts = [before]
    for after in rest:
        character = None if _ends_in_open_backslash(before) else _CHARACTERS.get(after[:2].lower())
        parts.append(_ESCAPE + after if character is None else character + after[2:])
        before = after
    return b"".join(parts)


def _ends_in_open_backslash(text: bytes) -> bool:
    return text.endswith(b"\\") and (len(text) - len(text.rstrip(b"\\"))) % 2 == 1
