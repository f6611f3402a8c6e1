"""What SQLite's errors mean to the caller."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from catalogue.ports.errors import StoreConflict, StoreUnreadable, StoreUnusable

_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_FOLDER = {
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_FULL: "is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written",
    sqlite3.SQLITE_PERM: "is not writable",
    sqlite3.SQLITE_READONLY: "is not writable",
}
_PRIMARY = 0xFF


@contextmanager
def understood(*, opening: bool = False) -> Iterator[None]:
    """Raise a StoreError in place of an error of SQLite, of the file system or of reading a stored value.

    An error in the SQL itself is a bug and passes as it is, but not while a store is `opening`: then a table is amiss.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & _PRIMARY
        if code in _HELD:
            raise StoreConflict(
                "Another process holds the store. Let one server use one CATALOGUE_DATA_DIR."
            ) from error
        if code in _FOLDER:
            raise unusable(_FOLDER[code]) from error
        if code in _DAMAGED or opening:
            raise StoreUnreadable("is damaged") from error
        raise
    except OSError as error:
        raise unusable("cannot be read or written") from error
    except (ValueError, OverflowError) as error:
        raise StoreUnreadable("holds values that cannot be read") from error


def unusable(what: str) -> StoreUnusable:
    """The error that names the data folder, what is wrong with it and the remedy."""
    return StoreUnusable(
        f"The data folder {what}. Set CATALOGUE_DATA_DIR to a folder with free space that the server may write to."
    )
