"""Admin tokens: named bearer tokens with scopes, stored as hashes and compared in constant time.

A token is written `name:token`, with all scopes, or `name:scopes:token`, with scopes joined by `+` (`read`, `refresh`,
`admin`). `sha256$` and 64 hex digits may replace the token. Tokens are separated by commas. A name may occur twice, so
that an old and a new token are valid during a rotation. Names and tokens have no colons, commas or spaces.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import SecretStr

from catalogue.scope import Grant

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SECRET = re.compile(r"[!-+\--9;-~]{16,512}")
_HASH = "sha256$"
_HEX = re.compile(r"[0-9a-f]{64}")
_MAX_CREDENTIALS = 1_024
_NOTHING = hashlib.sha256(b"").digest()
"""The hash of an empty token, which a shell produces from an unset variable."""


@dataclass(frozen=True, slots=True)
class Token:
    """One admin token."""

    name: str
    grants: frozenset[Grant]
    digest: bytes = field(repr=False)
    """SHA-256 of the token."""
    plain: SecretStr | None = None
    """The token itself, if the configuration has it, so that logs can redact it."""


def read_token(text: str) -> Token:
    """Parse a configured token; raises ValueError, without repeating the token, if it is malformed."""
    parts = text.strip().split(":")
    name, scopes, secret = parts[0], parts[1:-1], parts[-1]
    if len(parts) == 1 or not _NAME.fullmatch(name) or len(scopes) > 1:
        raise ValueError("write each token as name:token or name:scopes:token, such as ops:refresh+read:<token>")
    grants = _read_grants(name, scopes[0]) if scopes else frozenset({Grant.ADMIN})
    if secret.startswith(_HASH):
        digits = secret.removeprefix(_HASH).lower()
        if not _HEX.fullmatch(digits):
            raise ValueError(f"the hash of token '{name}' must be sha256$ and 64 hex digits")
        digest = bytes.fromhex(digits)
        if digest == _NOTHING:
            raise ValueError(f"the hash of token '{name}' is that of an empty token; set the token, then hash it again")
        return Token(name, grants, digest)
    if not _SECRET.fullmatch(secret):
        raise ValueError(f"token '{name}' must have 16 to 512 visible ASCII characters, no colon and no comma")
    return Token(name, grants, _digest(secret), SecretStr(secret))


def identify(authorization: str, tokens: Iterable[Token]) -> Token | None:
    """Find the token in an `Authorization` header; null if there is none or it is unknown.

    Every token is compared in constant time, so that the duration reveals nothing.
    """
    scheme, _, credentials = authorization.strip().partition(" ")
    credentials = credentials.strip()
    if scheme.lower() != "bearer" or not 0 < len(credentials) <= _MAX_CREDENTIALS:
        return None
    digest = _digest(credentials)
    matching = [token for token in tokens if hmac.compare_digest(digest, token.digest)]
    return matching[-1] if matching else None


def _read_grants(name: str, scopes: str) -> frozenset[Grant]:
    known = {grant.value: grant for grant in Grant}
    if not set(scopes.split("+")) <= known.keys():
        raise ValueError(f"the scopes of token '{name}' must be one or more of {', '.join(known)}, joined by +")
    return frozenset(known[scope] for scope in scopes.split("+"))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
