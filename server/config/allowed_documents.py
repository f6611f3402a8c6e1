"""The documents that the operator lists as all that may run: a JSON file by hash, or a folder of GraphQL files."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from server.config.configuration import ConfigurationError

MAX_BYTES = 16 * 1024 * 1024
"""Of all documents together."""


def allowed_documents(path: Path | None, *, own: Iterable[str] = ()) -> Mapping[str, str] | None:
    """The texts that may run, by their SHA-256; null where any may. `own` are texts that run whatever is listed.

    Raises:
        ConfigurationError: the list cannot be read, or a hash in it is not that of its text.
    """
    if path is None:
        return None
    try:
        listed = dict(_in_folder(path)) if path.is_dir() else _in_file(path)
    except OSError as error:
        raise _fault(path, f"cannot be read ({error.strerror}); mend its name or its permissions") from None
    except UnicodeDecodeError:
        raise _fault(path, "is not UTF-8 text; save it as UTF-8") from None
    if not listed:
        raise _fault(path, "lists no document; add one, or remove the setting and any document may run")
    return {**listed, **{_hash(text): text for text in own}}


def _in_folder(folder: Path) -> Iterator[tuple[str, str]]:
    files = sorted(folder.rglob("*.graphql"))
    if sum(file.stat().st_size for file in files) > MAX_BYTES:
        raise _fault(folder, f"holds more than {MAX_BYTES} bytes; is it the right folder?")
    for file in files:
        text = file.read_text("utf-8")
        yield _hash(text), text


def _in_file(file: Path) -> dict[str, str]:
    if file.stat().st_size > MAX_BYTES:
        raise _fault(file, f"has more than {MAX_BYTES} bytes; is it the right file?")
    try:
        listed = json.loads(file.read_text("utf-8"))
    except (json.JSONDecodeError, RecursionError):
        raise _fault(file, "is not valid JSON; write it anew") from None
    if not isinstance(listed, dict) or not all(isinstance(text, str) for text in listed.values()):
        raise _fault(file, "must be a JSON object of documents by their hashes")
    for hash_, text in listed.items():
        if hash_.removeprefix("sha256:") != _hash(text):
            raise _fault(file, f"the document under {hash_[:16]!r} has another SHA-256; write the file anew")
    return {_hash(text): text for text in listed.values()}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _fault(path: Path, words: str) -> ConfigurationError:
    return ConfigurationError(f"allowed_documents: {path}: {words}.")
