"""Checks of an installation, each with a fix for the problem found; no check changes anything."""

import asyncio
import os
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp

from server.command.operations import HEALTH
from server.command.remote import Remote, RemoteError
from server.command.tables import Column
from server.config.allowed_documents import allowed_documents
from server.config.configuration import CONFIG, ConfigurationError, load_settings, located
from server.config.generated_secrets import ADMIN_FILE
from server.config.settings import Settings
from server.config.upstreams import key_variables, upstreams
from upstream.errors import Unauthorized, UpstreamError
from upstream.http import get, session
from upstream.upstream import Upstream

CALL_SECONDS = 5.0
_NAMELESS = "api_key_env and the variable that it names"
MAX_SKEW_SECONDS = 60.0

CHECK_COLUMNS = (
    Column(title="Check", wraps=True),
    Column(title="Result"),
    Column(title="Found", wraps=True, min_width=24),
    Column(title="Fix", wraps=True, min_width=24),
)


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    name: str
    ok: bool
    found: str
    remedy: str | None = None


def examine(env: Mapping[str, str], *, config: Path | None = None, data_dir: Path | None = None) -> list[Check]:
    """Run all checks; an invalid configuration ends them early."""
    checks = [_python()]
    options = {"data_dir": data_dir} if data_dir else {}
    unset: dict[str, str] = {}
    try:
        settings = load_settings(env, config=config, options=options)
        providers = _composed(settings, env, config, unset)
    except ConfigurationError as error:
        return [*checks, Check("configuration", ok=False, found=str(error), remedy="Fix it as the message says.")]
    source = config or env.get(CONFIG)
    checks.append(Check("configuration", ok=True, found=f"file {source}" if source else "environment only, no file"))
    checks += [*_data(settings), *_port(settings)]
    checks += [_unset(id_, variable) for id_, variable in unset.items()]
    variables = {p.id: " or ".join(_set_or_all(key_variables(settings, p.id, p.adapter), env)) for p in providers}
    called = [provider for provider in providers if provider.id not in unset]
    return checks + asyncio.run(_call_all(called, variables))


def check_row(check: Mapping[str, Any]) -> Sequence[object]:
    """The cells of a check, for `CHECK_COLUMNS`."""
    return (check["name"], "ok" if check["ok"] else "FAILED", check["found"], check["remedy"])


def _composed(
    settings: Settings, env: Mapping[str, str], config: Path | None, unset: dict[str, str]
) -> tuple[Upstream, ...]:
    """The configured providers; fills `unset` with the unset key variables by provider."""
    try:
        allowed_documents(settings.allowed_documents)
        return upstreams(settings, env, on_unset=unset.__setitem__)
    except ConfigurationError as error:
        raise located(error, env, config=config) from None


def _set_or_all(names: tuple[str, ...], env: Mapping[str, str]) -> tuple[str, ...]:
    """The variable that holds the key or, if none does, all that may."""
    return tuple(name for name in names if env.get(name, "").strip())[:1] or names


def _unset(id_: str, variable: str) -> Check:
    remedy = f"Set {variable} in the server's environment, or remove api_key_env."
    return Check(f"provider {id_}", ok=False, found=f"api_key_env names {variable}, which is not set", remedy=remedy)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= (3, 11)
    return Check("python", ok, version, None if ok else "Install Python 3.11 or later and recreate the environment.")


def _data(settings: Settings) -> Iterator[Check]:
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    found = f"{folder}{'' if existing == folder else ' (does not exist yet)'}"
    remedy = None if writable else f"Make {existing} writable for this user, or set data_dir to a writable folder."
    yield Check("data folder", writable, found, remedy)
    yield _store(settings.store_file)
    yield _admin_token(settings)


def _store(path: Path) -> Check:
    if not path.exists():
        return Check("store", ok=True, found="none yet; created at the first start")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=CALL_SECONDS)) as store:
            answer = store.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        answer = str(error)
    remedy = f"Stop the server, then restore a backup of {path}, or move it away to start from the packaged baseline."
    return Check("store", answer == "ok", f"{path}: {answer}", None if answer == "ok" else remedy)


def _admin_token(settings: Settings) -> Check:
    if settings.admin_tokens:
        names = sorted({token.name for token in settings.admin_tokens})
        return Check("admin token", ok=True, found=f"configured: {', '.join(names)}")
    path = settings.data_dir / ADMIN_FILE
    if not path.exists():
        return Check("admin token", ok=True, found="none yet; generated at the first start")
    mode = path.stat().st_mode & 0o777
    ok = not mode & 0o077
    return Check("admin token", ok, f"{path}, mode {mode:04o}", None if ok else f"Run: chmod 600 {path}")


def _port(settings: Settings) -> list[Check]:
    where = f"{settings.host} port {settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return _in_use(settings, where, error.strerror or "not usable")
    return [Check("port", ok=True, found=f"{where} is free")]


def _in_use(settings: Settings, where: str, reason: str) -> list[Check]:
    server = Remote(settings.local_url, timeout=CALL_SECONDS)
    try:
        if server.status("/livez") == 200:  # noqa: PLR2004
            return [Check("port", ok=True, found=f"a server runs at {where}"), *_quarantined(server)]
    except RemoteError:
        pass
    return [Check("port", ok=False, found=f"{where}: {reason}", remedy="Stop the other program, or set host or port.")]


def _quarantined(server: Remote) -> Iterator[Check]:
    """Query the running server for quarantined lists."""
    try:
        rows = server.query(HEALTH, {}).get("providerHealth", ())
    except RemoteError as error:
        yield Check("running server", ok=False, found=str(error), remedy="Read its log.")
        return
    for row in rows:
        if quarantine := row["quarantine"]:
            found = f"quarantined as {quarantine['id']}: {quarantine['reason']}"
            remedy = (
                "Read the sample in providerHealth, then send "
                f'resolveQuarantine(quarantine: "{quarantine["id"]}", accept: true), or accept: false to discard it.'
            )
            yield Check(f"list of {row['provider']['id']}", ok=False, found=found, remedy=remedy)


async def _call_all(providers: Sequence[Upstream], variables: Mapping[str, str]) -> list[Check]:
    async with session() as calls:
        found = await asyncio.gather(*(_call(calls, provider, variables[provider.id]) for provider in providers))
    return [check for checks in found for check in checks]


async def _call(calls: aiohttp.ClientSession, provider: Upstream, variable: str) -> list[Check]:
    name = f"provider {provider.id}"
    if not provider.configured:
        remedy = f"Set {variable or _NAMELESS}, or set enabled = false."
        return [Check(name, ok=False, found="key is missing", remedy=remedy)]
    url = (provider.key and provider.check_url()) or provider.list_url()
    key = "with a key" if provider.key else "without a key"
    try:
        answer = await get(calls, url, headers=provider.request_headers(provider.key), timeout=CALL_SECONDS)
    except Unauthorized as error:
        remedy = f"Create a new key at the provider and set {variable or _NAMELESS}."
        return [Check(name, ok=False, found=f"{key}: {error.message}", remedy=remedy)]
    except UpstreamError as error:
        remedy = "Check the provider's status page, its base_url, and this machine's network."
        return [Check(name, ok=False, found=f"{key}: {error.message}", remedy=remedy)]
    return [Check(name, ok=True, found=f"answers {key} in {answer.latency_ms:.0f} ms"), *_clock(name, answer.headers)]


def _clock(name: str, headers: Mapping[str, str]) -> Iterator[Check]:
    """Compare this machine's clock with the provider's; no check if they agree."""
    try:
        skew = time.time() - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return
    if abs(skew) > MAX_SKEW_SECONDS:
        found = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} {name}"
        yield Check("clock", ok=False, found=found, remedy="Set this machine's clock, for example with NTP.")
