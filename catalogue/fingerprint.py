"""Fingerprints of keys: HMACs that only this installation can compute, so that no key is stored."""

import hashlib
import hmac

from pydantic import SecretStr

PREFIX = 12
"""Hex digits of a fingerprint that identify a key in the audit log (48 bits)."""


def fingerprint(secret: SecretStr, provider_id: str, key: SecretStr) -> str:
    """HMAC-SHA256 in hex of a provider's key; the same key at two providers has two fingerprints."""
    message = f"{provider_id}\0{key.get_secret_value()}".encode()
    return hmac.new(secret.get_secret_value().encode(), message, hashlib.sha256).hexdigest()
