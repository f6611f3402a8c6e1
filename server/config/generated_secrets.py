"""Secrets that are generated once and kept in the data folder: the secret for hashing keys, and an admin token."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from catalogue.scope import Grant
from server.config.configuration import ConfigurationError
from server.config.settings import MIN_SECRET, Settings
from server.config.tokens import Token, read_token

HASHING_FILE = "secret"
ADMIN_FILE = "admin-token"


def hashing_secret(settings: Settings) -> SecretStr:
    """The configured secret, or the generated one in the data folder; raises ConfigurationError if it is unusable."""
    return settings.secret or _kept(settings.data_dir / HASHING_FILE)


def admin_tokens(settings: Settings) -> tuple[Token, ...]:
    """The configured tokens, or the generated one in the data folder; raises ConfigurationError if it is unusable."""
    if settings.admin_tokens:
        return settings.admin_tokens
    path = settings.data_dir / ADMIN_FILE
    try:
        return (read_token(f"admin:{Grant.ADMIN.value}:{_kept(path).get_secret_value()}"),)
    except ValueError:
        raise ConfigurationError(f"{path}: has no usable token; remove it to generate a new one.") from None


def generated(settings: Settings, secret: SecretStr, tokens: tuple[Token, ...]) -> Mapping[str, SecretStr]:
    """The secrets that were generated because none are configured, by file name."""
    kept = {} if settings.secret else {HASHING_FILE: secret}
    if not settings.admin_tokens and tokens[0].plain:
        kept[ADMIN_FILE] = tokens[0].plain
    return kept


def restore(data_dir: Path, kept: Mapping[str, SecretStr]) -> list[str]:
    """Write the missing files to the data folder again and return their names; raises OSError if it cannot."""
    written = []
    for name, secret in kept.items():
        with suppress(FileExistsError):
            _write(data_dir / name, secret.get_secret_value())
            written.append(name)
    return written


def _kept(path: Path) -> SecretStr:
    """Read a secret, generated if the file does not exist; either way, only the owner can read the file after that."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            _write(path, secrets.token_urlsafe(32))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not ASCII text"
        raise ConfigurationError(f"{path}: cannot be used ({reason}); fix its permissions or set data_dir.") from None
    if len(text) < MIN_SECRET:
        raise ConfigurationError(f"{path}: has fewer than {MIN_SECRET} characters; remove it to generate a new one.")
    return SecretStr(text)


def _write(path: Path, secret: str) -> None:
    """Write a secret to a new file, completely or not at all."""
    with open(path, "x", encoding="ascii", opener=partial(os.open, mode=0o600)) as file:
        try:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            path.unlink()  # a partial secret, left by a full disk, would make every later start fail
            raise
