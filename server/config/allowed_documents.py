"""The allow-list of documents: a JSON file of documents by hash, or a folder of GraphQL files."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from server.config.configuration import ConfigurationError

MAX_BYTES = 16 * 1024 * 1024
"""Size limit of all documents together."""


def allowed_documents(path: Path | None, *, own: Iterable[str] = ()) -> Mapping[str, str] | None:
    """The allowed documents by SHA-256, or null if any document may run; `own` documents are always allowed.

    Raises ConfigurationError if the list cannot be read, or a hash does not match its document.
    """
    if path is None:
        return None
    try:
        return {_hash(text): text for text in (*_listed(path), *own)}
    except OSError as error:
        raise _fault(path, f"cannot be read ({error.strerror}); fix the path or the permissions") from None
    except UnicodeDecodeError:
        raise _fault(path, "is not UTF-8 text; save it as UTF-8") from None


def _listed(path: Path) -> Iterable[str]:
    is_folder = path.is_dir()
    files = sorted(path.rglob("*.graphql")) if is_folder else [path]
    if sum(file.stat().st_size for file in files) > MAX_BYTES:
        kind = "folder" if is_folder else "file"
        raise _fault(path, f"is larger than {MAX_BYTES} bytes; check that it is the right {kind}")
    texts = [file.read_text("utf-8") for file in files]
    listed = texts if is_folder else _by_hash(path, texts[0])
    if not listed:
        raise _fault(path, "has no documents; add one, or remove the setting to allow any document")
    return listed


def _by_hash(file: Path, text: str) -> list[str]:
    try:
        listed = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise _fault(file, "is not valid JSON; generate it again") from None
    if not isinstance(listed, dict) or not all(isinstance(document, str) for document in listed.values()):
        raise _fault(file, "must be a JSON object that maps hashes to documents")
    for hash_, document in listed.items():
        if hash_.removeprefix("sha256:") != _hash(document):
            raise _fault(file, f"the hash {hash_[:16]!r} does not match its document; generate the file again")
    return list(listed.values())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _fault(path: Path, words: str) -> ConfigurationError:
    return ConfigurationError(f"allowed_documents: {path}: {words}.")
