"""What is wrong with an installation, and how to mend it: one check after the other, none of which changes anything."""

import asyncio
import os
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp

from providers._kit.errors import Unauthorized, UpstreamError
from providers._kit.http import get, session
from providers._kit.upstream import Upstream
from server.allowed_documents import allowed_documents
from server.configuration import CONFIG, ConfigurationError, load_settings
from server.kept_secrets import ADMIN_FILE
from server.remote import Remote, RemoteError
from server.settings import Settings
from server.upstreams import upstreams

CALL_SECONDS = 5.0
MAX_SKEW_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    remedy: str | None = None


def examine(env: Mapping[str, str], *, config: Path | None = None, data_dir: Path | None = None) -> list[Check]:
    """Every check; a configuration that cannot be read ends the list."""
    checks = [_python()]
    try:
        options = {"data_dir": data_dir} if data_dir else {}
        settings = load_settings(env, config=config, options=options)
        providers = upstreams(settings, env)
        allowed_documents(settings.allowed_documents)
    except ConfigurationError as error:
        return [*checks, Check("configuration", ok=False, found=str(error), remedy="Mend it as it says.")]
    source = config or env.get(CONFIG)
    checks.append(Check("configuration", ok=True, found=f"file {source}" if source else "no file, environment only"))
    checks += [*_data(settings), _port(settings)]
    return checks + asyncio.run(_call_all(providers))


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= (3, 11)
    return Check("python", ok, version, None if ok else "Install Python 3.11 or later and make the environment anew.")


def _data(settings: Settings) -> Iterator[Check]:
    folder = settings.data_dir
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    found = f"{folder}{'' if there == folder else ' (not made yet)'}"
    remedy = None if writable else f"Make {there} writable for this user, or set data_dir to a folder that is."
    yield Check("data folder", writable, found, remedy)
    yield _store(settings.store_file)
    yield _admin_token(settings)


def _store(path: Path) -> Check:
    if not path.exists():
        return Check("store", ok=True, found="none yet; made at the first start")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=CALL_SECONDS)) as store:
            answer = store.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        answer = str(error)
    remedy = f"Stop the server and move {path} away; it starts from the packaged baseline, or restore a backup."
    return Check("store", answer == "ok", f"{path}: {answer}", None if answer == "ok" else remedy)


def _admin_token(settings: Settings) -> Check:
    if settings.admin_tokens:
        names = sorted({token.name for token in settings.admin_tokens})
        return Check("admin token", ok=True, found=f"configured: {', '.join(names)}")
    path = settings.data_dir / ADMIN_FILE
    if not path.exists():
        return Check("admin token", ok=True, found="none yet; made at the first start")
    mode = path.stat().st_mode & 0o777
    ok = not mode & 0o077
    return Check("admin token", ok, f"{path}, mode {mode:04o}", None if ok else f"Run: chmod 600 {path}")


def _port(settings: Settings) -> Check:
    where = f"{settings.host} port {settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return _taken(settings, where, error.strerror or "not usable")
    return Check("port", ok=True, found=f"{where} is free")


def _taken(settings: Settings, where: str, reason: str) -> Check:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        if Remote(f"http://{host}:{settings.port}", timeout=CALL_SECONDS).status("/livez") == 200:  # noqa: PLR2004
            return Check("port", ok=True, found=f"a server runs at {where}")
    except RemoteError:
        pass
    return Check("port", ok=False, found=f"{where}: {reason}", remedy="Stop the other program, or set host and port.")


async def _call_all(providers: tuple[Upstream, ...]) -> list[Check]:
    async with session() as calls:
        found = await asyncio.gather(*(_call(calls, provider) for provider in providers))
    return [check for checks in found for check in checks]


async def _call(calls: aiohttp.ClientSession, provider: Upstream) -> list[Check]:
    name = f"provider {provider.id}"
    if not provider.configured:
        names = " or ".join(provider.adapter.key_env) or "the variable of api_key_env"
        return [Check(name, ok=False, found="has no key", remedy=f"Set {names}, or set enabled = false.")]
    url = (provider.key and provider.check_url()) or provider.list_url()
    key = "with a key" if provider.key else "without a key"
    try:
        answer = await get(calls, url, headers=provider.request_headers(provider.key), timeout=CALL_SECONDS)
    except Unauthorized as error:
        return [Check(name, ok=False, found=f"{key}: {error.message}", remedy="Make a new key there and set it.")]
    except UpstreamError as error:
        remedy = "Look at its status page; check this machine's network and the provider's base_url."
        return [Check(name, ok=False, found=f"{key}: {error.message}", remedy=remedy)]
    return [Check(name, ok=True, found=f"answers {key} in {answer.latency_ms:.0f} ms"), *_clock(name, answer.headers)]


def _clock(name: str, headers: Mapping[str, str]) -> Iterator[Check]:
    """Compare this machine's clock with what the provider says; silent where they agree."""
    try:
        skew = time.time() - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return
    if abs(skew) > MAX_SKEW_SECONDS:
        found = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} {name}"
        yield Check("clock", ok=False, found=found, remedy="Set this machine's clock, such as with NTP.")
