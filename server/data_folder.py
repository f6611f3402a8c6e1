"""The data folder belongs to one server: a lock that the kernel lets go of when the process ends, however it ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.configuration import ConfigurationError

LOCK_FILE = "lock"


@contextmanager
def sole_use(data_dir: Path) -> Iterator[None]:
    """Hold the data folder, made where there is none.

    Raises:
        ConfigurationError: another server holds it, or it cannot be written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (data_dir / LOCK_FILE).open("w")
    except OSError as error:
        raise ConfigurationError(
            f"data_dir: {data_dir} cannot be used ({error.strerror}); mend its permissions or set another."
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigurationError(
                f"data_dir: {data_dir} is used by another server; stop that one or set another folder."
            ) from None
        yield
