"""Taking out of an answer the secrets that its request carried: a provider that repeats a key must not publish it."""

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

GONE = b"[redacted]"
_SHORTEST = 16
"""Characters; a shorter value is a placeholder such as `ollama`, which may well be part of a model's name."""
_PLAIN = frozenset({"accept", "if-modified-since", "if-none-match", "user-agent"})
_NEEDLESS = re.compile(rb"\\u00[2-7]")
"""An escape of a character that could stand for itself, as some encoders write `&` and `<`."""
_ESCAPE = re.compile(rb"\\(?:u00([2-7][0-9A-Fa-f])|.)", re.DOTALL)


def secrets_of(headers: Mapping[str, str]) -> tuple[bytes, ...]:
    """Every form in which an answer in JSON may repeat the secrets of a request's headers, the longest first."""
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


def without(text: bytes, secrets: Iterable[bytes]) -> bytes:
    """The text without the secrets; the same object where it has none."""
    secrets = tuple(secrets)
    if secrets and _NEEDLESS.search(text):
        spelt_out = _ESCAPE.sub(_unescaped, text)
        text = spelt_out if any(secret in spelt_out for secret in secrets) else text
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, GONE)
    return text


def _unescaped(escape: re.Match[bytes]) -> bytes:
    """The character itself, with the shortest escape where it needs one."""
    return escape[0] if escape[1] is None else json.dumps(chr(int(escape[1], 16)))[1:-1].encode()
