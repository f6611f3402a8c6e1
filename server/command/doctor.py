"""Checks of an installation, each with a fix for the problem found; no check changes anything."""

import asyncio
import os
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from email.utils import parsedate_to_datetime
from operator import itemgetter
from pathlib import Path

import aiohttp

from server.command.operations import HEALTH
from server.command.remote import Remote, RemoteError
from server.command.tables import Column, Row
from server.config.allowed_documents import allowed_documents
from server.config.configuration import ConfigurationError, load_settings, located
from server.config.generated_secrets import ADMIN_FILE
from server.config.provider_settings import ProviderSettings
from server.config.settings import Settings
from server.config.upstreams import key_variables, unset_key_variables, upstreams
from upstream.errors import Unauthorized, UpstreamError
from upstream.http import ReadLimits, get, session
from upstream.upstream import Upstream

CALL_SECONDS = 5.0
MAX_SKEW_SECONDS = 60.0

CHECK_COLUMNS = (
    Column("Check", itemgetter("name"), wraps=True),
    Column("Result", lambda check: "ok" if check["ok"] else "FAILED"),
    Column("Found", itemgetter("found"), wraps=True, min_width=24),
    Column("Fix", itemgetter("remedy"), wraps=True, min_width=24),
)


def examine(env: Mapping[str, str], *, config: Path | None = None, data_dir: Path | None = None) -> list[Row]:
    """Run all checks; an invalid configuration ends them early."""
    python = _check("python", ".".join(map(str, sys.version_info[:3])))
    try:
        settings = load_settings(env, config=config, options={"data_dir": data_dir})
        providers = _composed(settings, env, config)
    except ConfigurationError as error:
        return [python, _check("configuration", str(error), "Fix it as the message says.")]
    configuration = _check("configuration", f"file {config}" if config else "environment only, no file")
    unset = unset_key_variables(settings, env)
    return [
        *(python, configuration, _data_folder(settings), _store(settings.store_file), _admin_token(settings)),
        *_port(settings),
        *(_unset(id_, variable) for id_, variable in unset.items()),
        *asyncio.run(_call_all([(p, _key_variable(settings, p, env)) for p in providers if p.id not in unset])),
    ]


def _check(name: str, found: str, remedy: str | None = None) -> Row:
    """The result of a check; one with a remedy has failed."""
    return {"name": name, "ok": remedy is None, "found": found, "remedy": remedy}


def _composed(settings: Settings, env: Mapping[str, str], config: Path | None) -> tuple[Upstream, ...]:
    try:
        allowed_documents(settings.allowed_documents)
        return upstreams(settings, env)
    except ConfigurationError as error:
        raise located(error, env, config=config) from None


def _key_variable(settings: Settings, provider: Upstream, env: Mapping[str, str]) -> str:
    """The variable that holds the key or, if none does, all that may."""
    table = settings.providers.get(provider.id, ProviderSettings())
    names = key_variables(table, provider.id, provider.adapter)
    set_ = [name for name in names if env.get(name, "").strip()]
    return " or ".join(set_[:1] or names) or "api_key_env and the variable that it names"


def _unset(id_: str, variable: str) -> Row:
    remedy = f"Set {variable} in the server's environment, or remove api_key_env."
    return _check(f"provider {id_}", f"api_key_env names {variable}, which is not set", remedy)


def _data_folder(settings: Settings) -> Row:
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    found = f"{folder}{'' if existing == folder else ' (does not exist yet)'}"
    if writable and shutil.disk_usage(existing).free < 10_000_000:  # noqa: PLR2004 - bytes, without which the store soon fails
        return _check(
            "data folder", found, f"The disk is full. Free space at {existing}, or set data_dir to another one."
        )
    remedy = f"Make {existing} writable for this user, or set data_dir to a writable folder."
    return _check("data folder", found, None if writable else remedy)


def _store(path: Path) -> Row:
    if not path.exists():
        return _check("store", "none yet; created at the first start")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=CALL_SECONDS)) as store:
            answer = store.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        answer = str(error)
    remedy = f"Stop the server, then restore a backup of {path}, or move it away to start from the packaged baseline."
    return _check("store", f"{path}: {answer}", None if answer == "ok" else remedy)


def _admin_token(settings: Settings) -> Row:
    if settings.admin_tokens:
        return _check("admin token", f"configured: {', '.join(sorted({t.name for t in settings.admin_tokens}))}")
    path = settings.data_dir / ADMIN_FILE
    if not path.exists():
        return _check("admin token", "none yet; generated at the first start")
    mode = path.stat().st_mode & 0o777
    return _check("admin token", f"{path}, mode {mode:04o}", f"Run: chmod 600 {path}" if mode & 0o077 else None)


def _port(settings: Settings) -> list[Row]:
    where = f"{settings.host} port {settings.port}"
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return _in_use(settings, where, error.strerror or "not usable")
    return [_check("port", f"{where} is free")]


def _in_use(settings: Settings, where: str, reason: str) -> list[Row]:
    server = Remote(settings.local_url, timeout=CALL_SECONDS)
    try:
        if server.status("/livez") == 200:  # noqa: PLR2004
            return [_check("port", f"a server runs at {where}"), *_quarantined(server)]
    except RemoteError:
        pass
    return [_check("port", f"{where}: {reason}", "Stop the other program, or set host or port.")]


def _quarantined(server: Remote) -> Iterator[Row]:
    """Query the running server for quarantined lists."""
    try:
        rows = server.query(HEALTH, {}).get("providerHealth", ())
    except RemoteError as error:
        yield _check("running server", str(error), "Read its log.")
        return
    for row in rows:
        if quarantine := row["quarantine"]:
            found = f"quarantined as {quarantine['id']}: {quarantine['reason']}"
            remedy = (
                "Read the sample in providerHealth, then send "
                f'resolveQuarantine(quarantine: "{quarantine["id"]}", accept: true), or accept: false to discard it.'
            )
            yield _check(f"list of {row['provider']['id']}", found, remedy)


async def _call_all(providers: Sequence[tuple[Upstream, str]]) -> list[Row]:
    async with session() as calls:
        found = await asyncio.gather(*(_call(calls, provider, variable) for provider, variable in providers))
    return [check for checks in found for check in checks]


async def _call(calls: aiohttp.ClientSession, provider: Upstream, variable: str) -> list[Row]:
    name = f"provider {provider.id}"
    if not provider.configured:
        return [_check(name, "key is missing", f"Set {variable}, or set enabled = false.")]
    url = (provider.key and provider.check_url()) or provider.list_url()
    key = "with a key" if provider.key else "without a key"
    try:
        answer = await get(calls, url, provider.request_headers(provider.key), ReadLimits(timeout=CALL_SECONDS))
    except UpstreamError as error:
        remedy = (
            f"Create a new key at the provider and set {variable}."
            if isinstance(error, Unauthorized)
            else "Check the provider's status page, its base_url, and this machine's network."
        )
        return [_check(name, f"{key}: {error.message}", remedy)]
    return [_check(name, f"answers {key} in {answer.latency_ms:.0f} ms"), *_clock(name, answer.headers)]


def _clock(name: str, headers: Mapping[str, str]) -> Iterator[Row]:
    """Compare this machine's clock with the provider's; no check if they agree."""
    try:
        skew = time.time() - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return
    if abs(skew) > MAX_SKEW_SECONDS:
        found = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} {name}"
        yield _check("clock", found, "Set this machine's clock, for example with NTP.")
