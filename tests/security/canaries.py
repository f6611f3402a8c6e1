"""Canary secrets, and every form in which one could stand in a text."""

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote

from tests.practice.log import fingerprint
from tests.practice.upstream import PracticeUpstream

ODD = "/+%'\"\\"
"""Signs that URLs, JSON and Python each write in their own way."""


def canary(place: str) -> str:
    """A secret that names where it was planted, and that stands nowhere by chance."""
    return f"canary-{place}-{fingerprint(place)}{ODD}x"


def forms(secret: str) -> frozenset[bytes]:
    """A secret as it is or cut, escaped for URLs, JSON and Python, and within base64 at any offset."""
    middle = len(secret) // 2
    written = {
        secret[: middle + 3],
        secret[middle:],
        quote(secret),
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }
    plain = secret.encode()
    return frozenset({text.encode() for text in written} | {plain.hex().encode()} | set(_in_base64(plain)))


def _in_base64(secret: bytes) -> Iterable[bytes]:
    for before in range(3):
        whole = base64.b64encode(b"x" * before + secret)
        yield whole[4 if before else 0 : -4]


def found(places: Iterable[tuple[str, bytes]], secrets: Iterable[str]) -> list[str]:
    """Say where which secret is found; the values are not said."""
    wanted = [(secret.split("-")[1], forms(secret)) for secret in secrets]
    return [
        f"{name} in {place}"
        for place, text in places
        for name, shapes in wanted
        if any(form in text for form in shapes)
    ]


def echoing_settings(upstream: PracticeUpstream, own_header: str, *, ttl: float = 600) -> str:
    """Settings of two providers that are sent secrets: the server's keys, callers' keys and an own header."""
    usual = "requests_per_minute = 6000\nburst = 1000\nmax_retries = 1\nbackoff_ms = 10\ntimeout = 1"
    return f"""
model_list_ttl = {ttl}
provider_health_ttl = {ttl}
key_wait_seconds = 5
[providers.openrouter]
base_url = "{upstream.base_url("openrouter")}"
{usual}
[providers.practice]
adapter = "openai-compatible"
base_url = "{upstream.base_url("practice")}"
api_key_env = "PRACTICE_KEY"
headers = {{ "X-Own" = {json.dumps(own_header)} }}
{usual}
"""
