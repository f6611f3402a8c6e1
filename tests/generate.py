"""Write the generated files anew: `python -m tests.generate`."""

from pathlib import Path

from resolvers.schema import build_schema
from schema.sdl import sdl as sdl_of
from tests import readme_table
from tests.providers import golden
from tests.server.config import configuration_table

SDL = Path(__file__).resolve().parents[1] / "schema" / "schema.graphql"


def sdl() -> str:
    """The schema as text, as the checked-in file should hold it."""
    return sdl_of(build_schema())


def _write_sdl() -> None:
    SDL.write_text(sdl(), encoding="utf-8")


if __name__ == "__main__":
    for write in (_write_sdl, golden.write, readme_table.write, configuration_table.write):
        write()
