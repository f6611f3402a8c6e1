"""How long a store keeps what it was given."""

from dataclasses import dataclass
from datetime import timedelta

HEALTH: dict[timedelta, timedelta] = {
    timedelta(minutes=1): timedelta(hours=3),
    timedelta(hours=1): timedelta(days=8),
    timedelta(days=1): timedelta(days=91),
}
"""Each width of a health bucket and how long such buckets are kept: longer than any window asks."""

INCIDENTS = timedelta(days=90)
"""How long incidents that are over are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What the settings say about keeping."""

    log_age: timedelta = timedelta(days=30)
    """Changes older than this go."""
    log_length: int = 100_000
    """At most this many changes stay."""
    price_age: timedelta = timedelta(days=365)
    """Prices that held within this time stay."""
    tombstone_age: timedelta = timedelta(days=180)
    """The last facts of a removed model stay for so long."""
    audit_age: timedelta = timedelta(days=90)
    """Audit entries older than this go."""
    audit_strangers: int = 10_000
    """At most this many audit entries stay of rejected tokens, of what was tried without one, and of callers' keys."""
