"""Errors of a store, named for the next step of the operator or the server.

StoreError
├── StoreUnusable    mend the data folder; nothing was stored
├── StoreConflict    read the store again: another server wrote to it, or holds it
└── StoreUnreadable  start again: an unreadable store is moved aside when it is opened
"""


class StoreError(Exception):
    """An expected error of a store. Its message names the remedy and holds no path."""


class StoreUnusable(StoreError):
    """The data folder cannot be read or written."""


class StoreConflict(StoreError):
    """Another server uses the same store."""


class StoreUnreadable(StoreError):
    """The stored data is damaged, or a newer version wrote it."""
