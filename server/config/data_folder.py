"""Locks the data folder for one server; the kernel releases the lock when the process ends, however it ends."""

import fcntl
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import structlog

from catalogue.ports.errors import StoreConflict
from server.config.configuration import ConfigurationError

LOCK_FILE = "lock"

log = structlog.get_logger(__name__)


class DataFolderLock:
    """One server's lock on its data folder; raises BlockingIOError if another server holds it."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_FILE
        self._file = self._locked()

    def renew(self, restore: Callable[[], Collection[str]]) -> None:
        """Lock the folder again if it was deleted or replaced, and call `restore` to write its missing files.

        `restore` returns the names of the files that it wrote. Raises StoreConflict if another server has locked the
        new folder, and OSError if the folder cannot be written; the next call tries again.
        """
        if self._is_held():
            return
        try:
            file = self._locked()
        except BlockingIOError:
            raise StoreConflict("The data folder was replaced, and another server uses it. Stop one of them.") from None
        try:
            files = restore()
        except BaseException:
            file.close()
            raise
        self.release()
        self._file = file
        log.error("data_folder_locked_again", written=[LOCK_FILE, *files])

    def release(self) -> None:
        """Release the lock."""
        self._file.close()

    def _is_held(self) -> bool:
        """Whether the locked file is still the one at the lock's path."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _locked(self) -> TextIO:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            file.close()
            raise
        return file


@contextmanager
def lock_data_folder(data_dir: Path) -> Iterator[DataFolderLock]:
    """Lock the data folder, and create it if necessary; raises ConfigurationError if it cannot be used."""
    try:
        lock = DataFolderLock(data_dir)
    except BlockingIOError:
        fault = "is used by another server; stop that server or set another folder"
        raise ConfigurationError(f"data_dir: {data_dir} {fault}.") from None
    except OSError as error:
        fault = f"cannot be used ({error.strerror}); fix its permissions or set another folder"
        raise ConfigurationError(f"data_dir: {data_dir} {fault}.") from None
    try:
        yield lock
    finally:
        lock.release()
