"""What the command line prints: a table on a terminal, tab-separated lines in a pipe, or one JSON document."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

_GAP = 2
_MOST_NOTES = 10
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How a column is shown on a terminal; a pipe gets every column whole."""

    title: str
    number: bool = False
    """Whether its cells stand right."""
    wraps: bool = False
    """Whether a cell may go on in the next line; no cell is ever cut."""
    least: int | None = None
    """The characters that do for it; null: as many as its widest cell has."""
    leave_out: int = 0
    """Where the terminal is narrow, the column with the highest one goes first; 0 stays."""
    note: bool = False
    """Whether its cells are told below the table, each once with how many rows it is for."""


def print_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None) + "\n")


def print_rows(columns: Sequence[Column], rows: Iterable[Sequence[object]], *, none: str) -> None:
    """Print rows, or `none` where there are none; what comes from outside cannot steer the terminal.

    In a cell null is empty. A time is told in UTC by a pipe and by its age on a terminal.
    """
    rows = list(rows)
    if not rows:
        print_message(none)
    elif sys.stdout.isatty():
        now = datetime.now(UTC)
        _table(
            columns, [[_age(cell, now) if isinstance(cell, datetime) else _cell(cell) for cell in row] for row in rows]
        )
    else:
        sys.stdout.writelines("\t".join(map(_cell, row)) + "\n" for row in rows)


def print_message(line: str) -> None:
    """Print a line for the person at the terminal, beside the output proper."""
    sys.stderr.write(_printable(line) + "\n")


@contextmanager
def step_display() -> Iterator[Callable[[str, str, str], None]]:
    """Tell where each subject is (subject, step, detail) beside the output proper.

    A terminal has a line for each subject, which changes in place; elsewhere each new step is a line.
    """
    told: dict[str, tuple[str, str]] = {}
    if not sys.stderr.isatty():

        def write(subject: str, step: str, detail: str) -> None:
            if told.get(subject, ("", ""))[0] != step:
                print_message(_step(subject, step, detail))
            told[subject] = (step, detail)

        yield write
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.live import Live  # noqa: PLC0415 - the same
    from rich.text import Text  # noqa: PLC0415 - the same

    with Live(console=Console(stderr=True), transient=True, refresh_per_second=8) as live:

        def draw(subject: str, step: str, detail: str) -> None:
            told[subject] = (step, detail)
            live.update(Text("\n".join(_printable(_step(name, *now)) for name, now in told.items())))

        yield draw


def _step(subject: str, step: str, detail: str) -> str:
    return f"{subject}: {step}{f', {detail}' if detail else ''}"


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    from rich.cells import cell_len  # noqa: PLC0415 - only a terminal needs it
    from rich.console import Console  # noqa: PLC0415 - the same
    from rich.table import Table  # noqa: PLC0415 - the same
    from rich.text import Text  # noqa: PLC0415 - the same

    console = Console()
    widest = [max(map(cell_len, (column.title, *cells))) for column, *cells in zip(columns, *rows, strict=True)]
    shown = _fitting(columns, widest, console.width)
    room = console.width - _GAP * (len(shown) - 1)
    fits = sum(_needed(columns[index], widest[index]) for index in shown) <= room
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
    for index in shown:
        column = columns[index]
        whole = not column.wraps or (fits and column.least is None)
        table.add_column(column.title, justify="right" if column.number else "left", no_wrap=whole, overflow="fold")
    for row in rows:
        table.add_row(*(Text(row[index]) for index in shown))
    console.print(table)
    for index in (index for index, column in enumerate(columns) if column.note):
        notes = Counter(row[index] for row in rows if row[index])
        for note, count in notes.most_common(_MOST_NOTES):
            console.print(Text(f"{count:,} of these: {note}"))
        if len(notes) > _MOST_NOTES:
            console.print(Text(f"and {len(notes) - _MOST_NOTES} other reasons; --json has all."))


def _fitting(columns: Sequence[Column], widest: Sequence[int], width: int) -> list[int]:
    """The columns that a terminal of this width has room for, by their positions."""
    shown = [index for index, column in enumerate(columns) if not column.note]
    while sum(_needed(columns[index], widest[index]) + _GAP for index in shown) - _GAP > width:
        index = max(shown, key=lambda index: columns[index].leave_out)
        if not columns[index].leave_out:
            break
        shown.remove(index)
    return shown


def _needed(column: Column, widest: int) -> int:
    return widest if column.least is None else min(widest, max(column.least, len(column.title)))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _printable(f"{value:.12g}" if isinstance(value, float) else str(value))


def _age(moment: datetime, now: datetime) -> str:
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, length in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)
