"""Under which key the same underlying model is found at other providers."""

import re

_SNAPSHOT = re.compile(r"-20\d{6}$")
_JOINTS = re.compile(r"[._\s]+")


def family_key(*candidates: str | None) -> str | None:
    """The key of the first candidate that is said: a weights repository, a canonical name, or a model id.

    It is the last part of the path in lower case, without alias mark, variant (`:free`), region (`@eu`) and a compact
    snapshot date, with dashes for dots: `anthropic/claude-sonnet-4.5:batch` and `claude-sonnet-4-5@eu` share one.
    """
    said = next((c for c in candidates if c and c.strip()), "")
    last = said.strip().lower().partition("@")[0].rstrip("/").rpartition("/")[2].partition(":")[0].lstrip("~")
    return _SNAPSHOT.sub("", _JOINTS.sub("-", last)) or None
