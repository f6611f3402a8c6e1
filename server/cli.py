"""The command `catalogue`: run the server, query a running one, and check the installation.

Exit codes: 0 success, 1 failure, 2 wrong usage or configuration, 3 failure of some providers, 4 failure of all. Heavy
modules are imported where they are needed, so that light commands start fast.
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
    "Pass a file with an admin token in --token-file, or set CATALOGUE_TOKEN. "
    f"On the server's machine, pass its data folder in --data-dir: the file {ADMIN_FILE} has a token."
)

app = typer.Typer(
    name="catalogue",
    help="List AI models, their prices and their availability.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Config = Annotated[Path | None, typer.Option(help="The configuration file (TOML).", envvar="CATALOGUE_CONFIG")]
DataDir = Annotated[Path | None, typer.Option(help="The data folder.")]
Url = Annotated[str | None, typer.Option(help="The URL of the running server.", envvar="CATALOGUE_URL")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Providers = Annotated[list[str] | None, typer.Option("--provider", help="Only this provider. Repeat for several.")]


def main() -> None:
    """Run the command; report errors as one line and an exit code."""
    try:
        app()
    except ConfigurationError as error:
        print_message(f"Configuration: {error}")
        sys.exit(USAGE)
    except RemoteError as error:
        print_message(str(error))
        sys.exit(USAGE if error.wrong_input else FAILURE)
    except Exception as error:  # noqa: BLE001 - a traceback would show local paths, and maybe a secret
        details = Redactor()(None, "error", {"exc_info": error})["exception"]
        print_message(f"Unexpected error; please report it: {details}")
        sys.exit(FAILURE)


def _version(requested: bool) -> None:  # noqa: FBT001 - typer passes it by position
    if requested:
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
    """Run the server."""
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
    capability: Annotated[list[str] | None, typer.Option(help="Only with this capability. Repeat for more.")] = None,
    status: Annotated[list[str] | None, typer.Option(help="Only with this status. Repeat for several.")] = None,
    search: Annotated[str | None, typer.Option(help="Only with these words in the name, id or lab.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number of models.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    config: Config = None,
) -> None:
    """List models."""
    variables = {
        "provider": provider,
        "capability": _enums(capability, Capability, "--capability"),
        "status": _enums(status, ModelStatus, "--status"),
        "search": search,
        "limit": limit,
    }
    found = _remote(url, config).query(MODELS, {name: value for name, value in variables.items() if value})["models"]
    _print(found, MODEL_COLUMNS, model_row, none="No models match.", as_json=as_json)


@app.command()
def health(
    *,
    provider: Providers = None,
    ready: Annotated[bool, typer.Option("--ready", help="Only set the exit code: 0 if the server is ready.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    config: Config = None,
) -> None:
    """Show the health of providers. The exit code is 3 if some are down, 4 if all are."""
    remote = _remote(url, config)
    if ready:
        raise typer.Exit(0 if remote.status("/readyz") == 200 else FAILURE)  # noqa: PLR2004
    found = remote.query(HEALTH, {"provider": provider} if provider else {})["providerHealth"]
    _print(found, HEALTH_COLUMNS, health_row, none="There are no providers.", as_json=as_json)
    raise typer.Exit(_code([is_down(row) for row in found]))


@app.command()
def refresh(
    *,
    provider: Providers = None,
    if_old: Annotated[bool, typer.Option("--if-old", help="Only lists that are no longer fresh.")] = False,
    token_file: Annotated[Path | None, typer.Option(help="A file with the admin token.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Fetch the providers' lists now. The admin token comes from --token-file, CATALOGUE_TOKEN or the data folder."""
    remote = _remote(url, config, token=_token(token_file, config, data_dir), timeout=30.0)
    variables = {"force": not if_old, **({"provider": provider} if provider else {})}
    try:
        with step_display() as display, following_progress(remote, display):
            results = remote.query(REFRESH, variables)["refreshCatalogue"]["results"]
    except TokenRefused as error:
        raise TokenRefused(f"{error} {_TOKEN_REMEDY}") from None
    _print(results, REFRESH_COLUMNS, refresh_row, none="All lists are still fresh.", as_json=as_json)
    raise typer.Exit(_code([has_failed(row) for row in results]))


@app.command()
def doctor(*, as_json: AsJson = False, config: Config = None, data_dir: DataDir = None) -> None:
    """Check the installation, and show problems with their fixes."""
    from server.command.doctor import CHECK_COLUMNS, check_row, examine  # noqa: PLC0415 - heavy: the providers and aiohttp

    checks = [asdict(check) for check in examine(os.environ, config=config, data_dir=data_dir)]
    _print(checks, CHECK_COLUMNS, check_row, none="There are no checks.", as_json=as_json)
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
    """The exit code for no, some or all providers failing."""
    if not any(failures):
        return 0
    return ALL_FAILED if all(failures) else PARTIAL


def _enums(words: Sequence[str] | None, vocabulary: type[Enum], option: str) -> list[str]:
    """Convert an option's values to GraphQL enum values."""
    names = [word.upper().replace("-", "_") for word in words or ()]
    for word, name in zip(words or (), names, strict=True):
        if name not in vocabulary.__members__:
            known = ", ".join(known.lower() for known in vocabulary.__members__)
            kind = option.removeprefix("--")
            raise typer.BadParameter(f"{word!r} is not a {kind}. Choose one of: {known}.", param_hint=option)
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
