"""Taking out of an answer the secrets that its request carried: a provider that repeats a key must not publish it."""

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from upstream.errors import Malformed

GONE = b"[redacted]"
_SHORTEST = 16
"""Characters; a shorter value is a placeholder such as `ollama`, which may well be part of a model's name."""
_PLAIN = frozenset({"accept", "if-modified-since", "if-none-match", "user-agent"})
_ESCAPE = rb"\u00"
_MOST_ESCAPES = 500_000
"""In one answer; what would take longer to search than that is no list of models."""
_SIGNS = {b"%02x" % code: json.dumps(chr(code))[1:-1].encode() for code in range(0x20, 0x80)}
"""By the end of its escape: a character that could stand for itself, with the shortest escape where it needs one."""


def secret_forms(headers: Mapping[str, str]) -> tuple[bytes, ...]:
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


def redact(text: bytes, secrets: Iterable[bytes]) -> bytes:
    """The text without the secrets; the same object where it has none.

    Raises Malformed for a text of more escapes than can be searched in bounded time.
    """
    secrets = tuple(secrets)
    if secrets and _ESCAPE in text:
        spelt_out = _spelt_out(text)
        text = spelt_out if any(secret in spelt_out for secret in secrets) else text
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, GONE)
    return text


def _spelt_out(text: bytes) -> bytes:
    """The text without needless escapes, as some encoders write `&` and `<`."""
    if text.count(_ESCAPE) > _MOST_ESCAPES:
        raise Malformed(f"The provider's answer has more than {_MOST_ESCAPES:,} escapes.")
    before, *rest = text.split(_ESCAPE)
    spelt = [before]
    for after in rest:
        sign = None if _leaves_a_backslash_open(before) else _SIGNS.get(after[:2].lower())
        spelt.append(_ESCAPE + after if sign is None else sign + after[2:])
        before = after
    return b"".join(spelt)


def _leaves_a_backslash_open(text: bytes) -> bool:
    return text.endswith(b"\\") and (len(text) - len(text.rstrip(b"\\"))) % 2 == 1
