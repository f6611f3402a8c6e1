"""Output of the command line: a table on a terminal, tab-separated lines in a pipe, or one JSON document."""

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
    """Layout of a column on a terminal; a pipe gets all columns in full."""

    title: str
    number: bool = False
    """Whether cells are right-aligned."""
    wraps: bool = False
    """Whether cells may wrap; cells are never truncated."""
    min_width: int | None = None
    """Minimum width in characters; null means the width of the widest cell."""
    leave_out: int = 0
    """On a narrow terminal, the column with the highest value is left out first; 0 is never left out."""
    note: bool = False
    """Whether cells are listed below the table instead, each once with its number of rows."""


def print_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None) + "\n")


def print_rows(columns: Sequence[Column], rows: Iterable[Sequence[object]], *, none: str) -> None:
    """Print rows, or the message `none` if there are none; control characters are replaced.

    Null is an empty cell. A time is its age on a terminal, and UTC in a pipe.
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
    """Print a line to stderr."""
    sys.stderr.write(_printable(line) + "\n")


@contextmanager
def step_display() -> Iterator[Callable[[str, str, str], None]]:
    """A function that displays progress (subject, step, detail) on stderr.

    On a terminal, each subject has a line that is updated in place; elsewhere, each new step is a line.
    """
    current: dict[str, tuple[str, str]] = {}
    if not sys.stderr.isatty():

        def write(subject: str, step: str, detail: str) -> None:
            if current.get(subject, ("", ""))[0] != step:
                print_message(_step(subject, step, detail))
            current[subject] = (step, detail)

        yield write
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.live import Live  # noqa: PLC0415 - the same
    from rich.text import Text  # noqa: PLC0415 - the same

    with Live(console=Console(stderr=True), transient=True, refresh_per_second=8) as live:

        def draw(subject: str, step: str, detail: str) -> None:
            current[subject] = (step, detail)
            live.update(Text("\n".join(_printable(_step(name, *state)) for name, state in current.items())))

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
        whole = not column.wraps or (fits and column.min_width is None)
        table.add_column(column.title, justify="right" if column.number else "left", no_wrap=whole, overflow="fold")
    for row in rows:
        table.add_row(*(Text(row[index]) for index in shown))
    console.print(table)
    for index in (index for index, column in enumerate(columns) if column.note):
        notes = Counter(row[index] for row in rows if row[index])
        for note, count in notes.most_common(_MOST_NOTES):
            console.print(Text(f"{count:,} of these: {note}"))
        if len(notes) > _MOST_NOTES:
            console.print(Text(f"{len(notes) - _MOST_NOTES} more reasons; use --json to see all."))


def _fitting(columns: Sequence[Column], widest: Sequence[int], width: int) -> list[int]:
    """The positions of the columns that fit on a terminal of this width."""
    shown = [index for index, column in enumerate(columns) if not column.note]
    while sum(_needed(columns[index], widest[index]) + _GAP for index in shown) - _GAP > width:
        index = max(shown, key=lambda index: columns[index].leave_out)
        if not columns[index].leave_out:
            break
        shown.remove(index)
    return shown


def _needed(column: Column, widest: int) -> int:
    return widest if column.min_width is None else min(widest, max(column.min_width, len(column.title)))


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
    return "".join(character if character.isprintable() else "?" for character in text)
