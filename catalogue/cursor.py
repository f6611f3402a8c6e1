"""The opaque form in which clients hold a position in the log of changes."""

import base64
import binascii
import re

from catalogue.errors import BadUserInput
from catalogue.position import Position

_MAX_LENGTH = 100
_FORM = re.compile(r"([0-9a-f]{1,32})\.(\d{1,18})")


def encode(position: Position) -> str:
    """The cursor of a position."""
    return base64.urlsafe_b64encode(f"{position.epoch}.{position.seq}".encode()).decode().rstrip("=")


def decode(cursor: str) -> Position:
    """The position of a cursor. Raises BadUserInput for text that is not a cursor."""
    form = _FORM.fullmatch(_text(cursor)) if len(cursor) <= _MAX_LENGTH else None
    if form is None:
        raise BadUserInput("This cursor is not readable. Pass one that the catalogue returned, unchanged.")
    return Position(form[1], int(form[2]))


def _text(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        return ""
