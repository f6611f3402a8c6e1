"""Output of the command line: a table on a terminal, tab-separated lines in a pipe, or one JSON document."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from typing import Any

_GAP = 2
_MOST_NOTES = 10
_AGES = (("d", 86_400), ("h", 3_600), ("min", 60))

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and its layout on a terminal; a pipe gets all columns in full."""

    title: str
    value: Callable[[Row], object]
    """Gets a row's value. Null is an empty cell; a time is its age on a terminal, and UTC in a pipe."""
    _: KW_ONLY
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


def print_rows(rows: Sequence[Row], columns: Sequence[Column], *, none: str, as_json: bool) -> None:
    """Print rows, or the message `none` if there are none; control characters are replaced in columns."""
    on_terminal = sys.stdout.isatty()
    if as_json:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2 if on_terminal else None) + "\n")
    elif not rows:
        print_message(none)
    elif on_terminal:
        now = datetime.now(UTC)
        _print_table({column: [_cell(column.value(row), now) for row in rows] for column in columns})
    else:
        sys.stdout.writelines("\t".join(_cell(column.value(row)) for column in columns) + "\n" for row in rows)


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


def _print_table(cells: Mapping[Column, Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.table import Table  # noqa: PLC0415 - the same
    from rich.text import Text  # noqa: PLC0415 - the same

    console = Console()
    widths = {column: _width(column, texts) for column, texts in cells.items() if not column.note}
    room = console.width + _GAP
    while not (fits := sum(widths.values()) + _GAP * len(widths) <= room):
        column = max(widths, key=lambda column: column.leave_out)
        if not column.leave_out:
            break
        del widths[column]
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
    for column in widths:
        whole = not column.wraps or (fits and column.min_width is None)
        table.add_column(column.title, justify="right" if column.number else "left", no_wrap=whole, overflow="fold")
    for row in zip(*(cells[column] for column in widths), strict=True):
        table.add_row(*map(Text, row))
    console.print(table)
    for texts in (texts for column, texts in cells.items() if column.note):
        notes = Counter(filter(None, texts))
        for note, count in notes.most_common(_MOST_NOTES):
            console.print(Text(f"{count:,} of these: {note}"))
        if len(notes) > _MOST_NOTES:
            console.print(Text(f"{len(notes) - _MOST_NOTES} more reasons; use --json to see all."))


def _width(column: Column, texts: Sequence[str]) -> int:
    """The width that a column needs."""
    from rich.cells import cell_len  # noqa: PLC0415 - only a terminal needs it

    widest = max(map(cell_len, (column.title, *texts)))
    return widest if column.min_width is None else min(widest, max(column.min_width, len(column.title)))


def _cell(value: object, now: datetime | None = None) -> str:
    """A value as text; a time is its age at `now`, or UTC without it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _age((now - value).total_seconds()) if now else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _printable(f"{value:.12g}" if isinstance(value, float) else str(value))


def _age(seconds: float) -> str:
    for unit, length in _AGES:
        if seconds >= 2 * length:
            return f"{int(seconds) // length} {unit} ago"
    return f"{max(0, int(seconds))} s ago"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
