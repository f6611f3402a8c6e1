"""Follows the progress of a refresh in a thread, while the command line waits for the result."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from server.command.operations import PROGRESS
from server.command.remote import Remote, RemoteError


@contextmanager
def following_progress(remote: Remote, display: Callable[[str, str, str], None]) -> Iterator[threading.Thread]:
    """Display the steps of refreshes (provider, step, detail) until the block ends, if the server streams them."""
    running, over = threading.Event(), threading.Event()

    def follow() -> None:
        try:
            for data in remote.follow(PROGRESS):
                running.set()
                if over.is_set():
                    return
                if data:
                    display(*_step(data["refreshProgress"]))
        except (RemoteError, KeyError, TypeError):
            running.set()

    following = threading.Thread(target=follow, daemon=True)
    following.start()
    running.wait(timeout=2.0)
    try:
        yield following
    finally:
        over.set()


def _step(progress: Mapping[str, Any]) -> tuple[str, str, str]:
    received, count = progress["received"], progress["modelCount"]
    details = (f"{received / 1024:,.0f} KiB" if received else "", f"{count} models" if count else "")
    return progress["provider"]["id"], progress["step"].lower(), ", ".join(filter(None, details))
