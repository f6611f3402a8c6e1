"""The opaque position in the log of changes: the log's epoch and a sequence number."""

import base64
import binascii
import re

from catalogue.errors import BadUserInput

_MAX_LENGTH = 100
_FORM = re.compile(r"([0-9a-f]{1,32})\.(\d{1,18})")


def encode(epoch: str, seq: int) -> str:
    """The cursor of a position."""
    return base64.urlsafe_b64encode(f"{epoch}.{seq}".encode()).decode().rstrip("=")


def decode(cursor: str) -> tuple[str, int]:
    """The epoch and sequence number of a cursor; BadUserInput where it is none of ours."""
    form = _FORM.fullmatch(_text(cursor)) if len(cursor) <= _MAX_LENGTH else None
    if form is None:
        raise BadUserInput("This cursor is not readable. Pass one that the catalogue gave, unchanged.")
    return form[1], int(form[2])


def _text(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        return ""
