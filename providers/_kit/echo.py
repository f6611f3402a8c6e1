"""Taking out of an answer the secrets that its request carried: a provider that repeats a key must not publish it."""

import json
from collections.abc import Iterable, Mapping

GONE = b"[redacted]"
_SHORTEST = 16
"""Characters; a shorter value is a placeholder such as `ollama`, which may well be part of a model's name."""
_PLAIN = frozenset({"accept", "if-modified-since", "if-none-match", "user-agent"})


def secrets_of(headers: Mapping[str, str]) -> tuple[bytes, ...]:
    """Every form in which an answer in JSON may repeat the secrets of a request's headers, the longest first."""
    forms: set[str] = set()
    for name, value in headers.items():
        secret = value.rpartition(" ")[2]
        if name.lower() not in _PLAIN and len(secret) >= _SHORTEST:
            escaped = json.dumps(secret)[1:-1]
            forms |= {secret, escaped, escaped.replace("/", r"\/")}
    return tuple(form.encode("utf-8", "surrogatepass") for form in sorted(forms, key=len, reverse=True))


def without(text: bytes, secrets: Iterable[bytes]) -> bytes:
    """The text without the secrets; the same object where it has none."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, GONE)
    return text
