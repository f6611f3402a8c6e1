"""What can go wrong with a store, named for what the operator or the server does next.

StoreError
├── StoreUnusable    mend the data folder; what was asked was not stored
├── StoreConflict    read the store anew: another server wrote to it, or holds it
└── StoreUnreadable  start anew: an unreadable store is moved aside when it is opened
"""


class StoreError(Exception):
    """An expected error of a store; its message names the remedy and holds no path."""


class StoreUnusable(StoreError):
    """The data folder cannot be read or written."""


class StoreConflict(StoreError):
    """Another server uses the same store."""


class StoreUnreadable(StoreError):
    """What is stored is damaged, or written by a newer version."""
