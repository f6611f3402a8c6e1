"""What the command line prints: a table on a terminal, tab-separated lines in a pipe, or one JSON document."""

import json
import sys
from collections.abc import Iterable, Sequence


def show_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None) + "\n")


def show(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows; null is an empty cell, and what comes from outside cannot steer the terminal."""
    cells = [[_cell(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        sys.stdout.writelines("\t".join(row) + "\n" for row in cells)
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.table import Table  # noqa: PLC0415 - the same
    from rich.text import Text  # noqa: PLC0415 - the same

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def say(line: str) -> None:
    """Print a line for the person at the terminal, beside the output proper."""
    sys.stderr.write(_printable(line) + "\n")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    return _printable(f"{value:,.6g}" if isinstance(value, float) else str(value))


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)
