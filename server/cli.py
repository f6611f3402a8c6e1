"""The command `catalogue`: serve, ask a running server, and find out what is wrong.

Exit codes: 0 done, 1 failed, 2 used or configured wrongly, 3 failed for some providers, 4 failed for all of them. What
is heavy is imported where it is needed, so that the light commands answer at once. It is long because every
command's options are declared here.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from enum import Enum
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from catalogue.vocabulary import Capability, ModelStatus
from server.command.operations import (
    HEALTH,
    HEALTH_COLUMNS,
    MODEL_COLUMNS,
    MODELS,
    REFRESH,
    REFRESH_COLUMNS,
    has_failed,
    health_row,
    is_down,
    model_row,
    refresh_row,
)
from server.command.refresh_progress import following_progress
from server.command.remote import Remote, RemoteError, TokenRefused
from server.command.tables import Column, print_json, print_message, print_rows, step_display
from server.config.configuration import ConfigurationError, load_settings, located
from server.config.generated_secrets import ADMIN_FILE
from server.config.settings import Settings
from server.redaction import Redactor

FAILURE, USAGE, PARTIAL, ALL_FAILED = 1, 2, 3, 4
_TOKEN_REMEDY = (
    "Name a file that holds an admin token with --token-file, or set CATALOGUE_TOKEN; "
    f"on the server's machine --data-dir names its data folder, where the file {ADMIN_FILE} holds one."
)

app = typer.Typer(
    name="catalogue",
    help="Which AI models there are, at what price, and whether they are up.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Config = Annotated[Path | None, typer.Option(help="The configuration file (TOML).", envvar="CATALOGUE_CONFIG")]
DataDir = Annotated[Path | None, typer.Option(help="Where the store is.")]
Url = Annotated[str | None, typer.Option(help="The running server.", envvar="CATALOGUE_URL")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Providers = Annotated[list[str] | None, typer.Option("--provider", help="Only this provider; may be given again.")]


def main() -> None:
    """Run the command, and turn what is wrong into one line and an exit code."""
    try:
        app()
    except ConfigurationError as error:
        print_message(f"Configuration: {error}")
        sys.exit(USAGE)
    except RemoteError as error:
        print_message(str(error))
        sys.exit(USAGE if error.wrong_input else FAILURE)
    except Exception as error:  # noqa: BLE001 - a traceback would show folders of this machine, and maybe a secret
        told = Redactor()(None, "error", {"exc_info": error})["exception"]
        print_message(f"This should not happen, please report it: {told}")
        sys.exit(FAILURE)


def _version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if asked:
        typer.echo(version("model-catalogue"))
        raise typer.Exit


@app.callback()
def _root(
    *,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Run the server until it is told to stop."""
    options = _given(host=host, port=port, data_dir=data_dir)
    settings = load_settings(os.environ, config=config, options=options)
    from server.serve import serve as run  # noqa: PLC0415 - heavy: the whole server

    try:
        run(settings)
    except ConfigurationError as error:
        raise located(error, os.environ, config=config, options=options) from None


@app.command()
def models(
    *,
    provider: Providers = None,
    capability: Annotated[
        list[str] | None, typer.Option(help="Only with this capability; all, if given again.")
    ] = None,
    status: Annotated[list[str] | None, typer.Option(help="Only with this status; any, if given again.")] = None,
    search: Annotated[str | None, typer.Option(help="Only where these words occur in name, id or lab.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    config: Config = None,
) -> None:
    """List models."""
    asked = {
        "provider": provider,
        "capability": _enums(capability, Capability, "--capability"),
        "status": _enums(status, ModelStatus, "--status"),
        "search": search,
        "limit": limit,
    }
    found = _remote(url, config).query(MODELS, {name: value for name, value in asked.items() if value})["models"]
    _print(found, MODEL_COLUMNS, model_row, none="No model matches.", as_json=as_json)


@app.command()
def health(
    *,
    provider: Providers = None,
    ready: Annotated[bool, typer.Option("--ready", help="Only whether the server is ready, by the exit code.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    config: Config = None,
) -> None:
    """Show how the providers are; the exit code tells whether some or all of them are down."""
    remote = _remote(url, config)
    if ready:
        raise typer.Exit(0 if remote.status("/readyz") == 200 else FAILURE)  # noqa: PLR2004
    found = remote.query(HEALTH, {"provider": provider} if provider else {})["providerHealth"]
    _print(found, HEALTH_COLUMNS, health_row, none="There is no provider.", as_json=as_json)
    raise typer.Exit(_code([is_down(row) for row in found]))


@app.command()
def refresh(
    *,
    provider: Providers = None,
    if_old: Annotated[bool, typer.Option("--if-old", help="Only lists past their lifetime.")] = False,
    token_file: Annotated[Path | None, typer.Option(help="A file that holds the admin token.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Fetch the providers' lists now. The token comes from --token-file, CATALOGUE_TOKEN or the data folder."""
    remote = _remote(url, config, token=_token(token_file, config, data_dir), timeout=30.0)
    asked = {"force": not if_old, **({"provider": provider} if provider else {})}
    try:
        with step_display() as tell, following_progress(remote, tell):
            results = remote.query(REFRESH, asked)["refreshCatalogue"]["results"]
    except TokenRefused as error:
        raise TokenRefused(f"{error} {_TOKEN_REMEDY}") from None
    _print(results, REFRESH_COLUMNS, refresh_row, none="No provider was due.", as_json=as_json)
    raise typer.Exit(_code([has_failed(row) for row in results]))


@app.command()
def doctor(*, as_json: AsJson = False, config: Config = None, data_dir: DataDir = None) -> None:
    """Check the installation, and say what is wrong and how to mend it."""
    from server.command.doctor import CHECK_COLUMNS, check_row, examine  # noqa: PLC0415 - heavy: the providers and aiohttp

    checks = [asdict(check) for check in examine(os.environ, config=config, data_dir=data_dir)]
    _print(checks, CHECK_COLUMNS, check_row, none="Nothing was checked.", as_json=as_json)
    raise typer.Exit(0 if all(check["ok"] for check in checks) else FAILURE)


@app.command()
def schema() -> None:
    """Print the GraphQL schema."""
    sys.stdout.write(files("schema").joinpath("schema.graphql").read_text("utf-8"))


def _print(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    cells: Callable[[Mapping[str, Any]], Sequence[object]],
    *,
    none: str,
    as_json: bool,
) -> None:
    if as_json:
        print_json(rows)
    else:
        print_rows(columns, map(cells, rows), none=none)


def _code(failures: Sequence[bool]) -> int:
    """Tell whether none, some or all providers failed."""
    if not any(failures):
        return 0
    return ALL_FAILED if all(failures) else PARTIAL


def _enums(words: Sequence[str] | None, vocabulary: type[Enum], option: str) -> list[str]:
    """The names in GraphQL of an option's words."""
    names = [word.upper().replace("-", "_") for word in words or ()]
    for word, name in zip(words or (), names, strict=True):
        if name not in vocabulary.__members__:
            known = ", ".join(known.lower() for known in vocabulary.__members__)
            raise typer.BadParameter(f"{word!r} is none. Known are {known}.", param_hint=option)
    return names


def _settings(config: Path | None, **options: object) -> Settings:
    return load_settings(os.environ, config=config, options=_given(**options))


def _given(**options: object) -> Mapping[str, object]:
    return {key: value for key, value in options.items() if value is not None}


def _remote(url: str | None, config: Path | None, *, token: str | None = None, timeout: float = 15.0) -> Remote:
    return Remote(url or _settings(config).local_url, token=token, timeout=timeout)


def _token(token_file: Path | None, config: Path | None, data_dir: Path | None) -> str | None:
    token = os.environ.get("CATALOGUE_TOKEN")
    if token_file is None and token:
        return token.strip()
    path = token_file or _settings(config, data_dir=data_dir).data_dir / ADMIN_FILE
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        if token_file:
            raise typer.BadParameter(f"{path} cannot be read.", param_hint="--token-file") from None
        return None
