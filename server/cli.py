"""The command `catalogue`: run the server, query a running one, and check the installation.

Exit codes: 0 success, 1 failure, 2 wrong usage or configuration, 3 failure of some providers, 4 failure of all. Heavy
modules are imported where they are needed, so that light commands start fast.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from enum import Enum
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from catalogue.vocabulary import Capability, ModelStatus
from server.command.operations import FAILED, HEALTH, HEALTH_COLUMNS, MODEL_COLUMNS, MODELS, REFRESH, REFRESH_COLUMNS
from server.command.refresh_progress import following_progress
from server.command.remote import Remote, RemoteError, TokenRefused, WrongInput
from server.command.tables import print_message, print_rows, step_display
from server.config.configuration import CONFIG, ConfigurationError, load_settings, located
from server.config.generated_secrets import ADMIN_FILE
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

Config = Annotated[Path | None, typer.Option(help="The configuration file (TOML).", envvar=CONFIG)]
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
        sys.exit(USAGE if isinstance(error, WrongInput) else FAILURE)
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
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
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
    options = {"host": host, "port": port, "data_dir": data_dir}
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
    print_rows(found, MODEL_COLUMNS, none="No models match.", as_json=as_json)


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
    print_rows(found, HEALTH_COLUMNS, none="There are no providers.", as_json=as_json)
    raise typer.Exit(_code(row["status"] == "DOWN" for row in found))


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
    print_rows(results, REFRESH_COLUMNS, none="All lists are still fresh.", as_json=as_json)
    raise typer.Exit(_code(row["outcome"] in FAILED for row in results))


@app.command()
def doctor(*, as_json: AsJson = False, config: Config = None, data_dir: DataDir = None) -> None:
    """Check the installation, and show problems with their fixes."""
    from server.command.doctor import CHECK_COLUMNS, examine  # noqa: PLC0415 - heavy: the providers and aiohttp

    checks = examine(os.environ, config=config, data_dir=data_dir)
    print_rows(checks, CHECK_COLUMNS, none="There are no checks.", as_json=as_json)
    raise typer.Exit(0 if all(check["ok"] for check in checks) else FAILURE)


@app.command()
def schema() -> None:
    """Print the GraphQL schema."""
    sys.stdout.write(files("schema").joinpath("schema.graphql").read_text("utf-8"))


def _code(failures: Iterable[bool]) -> int:
    """The exit code for no, some or all providers failing."""
    found = set(failures)
    return 0 if True not in found else PARTIAL if False in found else ALL_FAILED


def _enums(words: Sequence[str] | None, vocabulary: type[Enum], option: str) -> list[str]:
    """Convert an option's values to GraphQL enum values."""
    names = {word: word.upper().replace("-", "_") for word in words or ()}
    for word, name in names.items():
        if name not in vocabulary.__members__:
            known, kind = ", ".join(vocabulary.__members__).lower(), option.removeprefix("--")
            raise typer.BadParameter(f"{word!r} is not a {kind}. Choose one of: {known}.", param_hint=option)
    return list(names.values())


def _remote(url: str | None, config: Path | None, *, token: str | None = None, timeout: float = 15.0) -> Remote:
    return Remote(url or load_settings(os.environ, config=config).local_url, token=token, timeout=timeout)


def _token(token_file: Path | None, config: Path | None, data_dir: Path | None) -> str | None:
    if token_file is None and (token := os.environ.get("CATALOGUE_TOKEN")):
        return token.strip()
    options = {"data_dir": data_dir}
    path = token_file or load_settings(os.environ, config=config, options=options).data_dir / ADMIN_FILE
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        if token_file:
            raise typer.BadParameter(f"{path} cannot be read.", param_hint="--token-file") from None
        return None
