"""Health history in SQLite: probes, and the time between them, in buckets of three widths, and incidents."""

import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from backends._codec import MICROSECOND, maybe_micros, maybe_moment, micros, moment
from backends._rows import LARGEST_COUNT, Report, Row, readable, require, require_all, require_provider, require_text
from backends.retention import HEALTH, INCIDENTS
from catalogue.history import WINDOWS, HealthBucket, Incident, Probe, Span
from catalogue.vocabulary import ProviderErrorCode, UptimeWindow

_SECOND = timedelta(seconds=1) // MICROSECOND
_WIDTHS = [width // MICROSECOND for width in HEALTH]
_COLUMNS = "provider_id, width, start, checks, failures, timed, latency_sum, known, up"
_ADD = f"""
INSERT INTO bucket ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    checks = checks + excluded.checks, failures = failures + excluded.failures, timed = timed + excluded.timed,
    latency_sum = latency_sum + excluded.latency_sum, known = known + excluded.known, up = up + excluded.up
"""  # noqa: S608 - our own words
_UPSERT_INCIDENT = """
INSERT INTO incident (id, provider_id, started_at, ended_at, code, message) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET ended_at = excluded.ended_at, code = excluded.code, message = excluded.message
"""
_BUCKETS = f"SELECT {_COLUMNS} FROM bucket"  # noqa: S608 - our own words
_INCIDENTS = "SELECT id, provider_id, started_at, ended_at, code, message FROM incident"


def record(connection: sqlite3.Connection, probes: Iterable[Probe], spans: Iterable[Span]) -> None:
    """Count probes, and the time between them, into the buckets of every width."""
    connection.executemany(_ADD, (_count(probe, width) for probe in probes for width in _WIDTHS))
    connection.executemany(_ADD, (row for span in spans for width in _WIDTHS for row in _shares(span, width)))


def _count(probe: Probe, width: int) -> Row:
    latency = probe.latency_ms if probe.ok else None
    start = _start(micros(probe.at), width)
    return probe.provider_id, width, start, 1, not probe.ok, latency is not None, latency or 0.0, 0, 0


def _shares(span: Span, width: int) -> Iterator[Row]:
    """How much of a span falls into each bucket of one width."""
    begin, end = micros(span.start), micros(span.end)
    for start in range(_start(begin, width), end, width):
        known = min(end, start + width) - max(begin, start)
        yield span.provider_id, width, start, 0, 0, 0, 0.0, known, known if span.up else 0


def _start(at: int, width: int) -> int:
    """The beginning of the bucket that a moment falls into; buckets are aligned in UTC."""
    return at - at % width


def buckets(
    connection: sqlite3.Connection, provider_ids: Sequence[str], window: UptimeWindow, now: datetime, report: Report
) -> dict[str, Sequence[HealthBucket]]:
    """The buckets of a window that ends with the one of now; spans without a probe have no checks.

    A bucket that cannot be read is reported, and counts as one without a probe.
    """
    span, width = WINDOWS[window]
    step = width // MICROSECOND
    last = _start(micros(now), step)
    starts = range(last - step * (span // width - 1), last + 1, step)
    return {id_: _series(connection, id_, starts, report) for id_ in provider_ids}


def _series(
    connection: sqlite3.Connection, provider_id: str, starts: range, report: Report
) -> tuple[HealthBucket, ...]:
    rows = connection.execute(
        f"{_BUCKETS} WHERE provider_id = ? AND width = ? AND start BETWEEN ? AND ?",
        (provider_id, starts.step, starts[0], starts[-1]),
    )
    found = {bucket.start: bucket for bucket in readable("bucket", rows, _bucket, report)}
    ends = [(moment(start), moment(start + starts.step)) for start in starts]
    return tuple(found.get(start) or HealthBucket(start=start, end=end, checks=0, failures=0) for start, end in ends)


def _bucket(row: Row) -> HealthBucket:
    provider_id, width, start, checks, failures, timed, latency, known, up = row
    require_provider(provider_id)
    require(width in _WIDTHS and start % width == 0 and 0 <= latency < math.inf and 0 <= up <= known)
    require(min(failures, timed) >= 0 and failures + timed <= checks <= LARGEST_COUNT)
    return HealthBucket(
        start=moment(start),
        end=moment(start + width),
        checks=checks,
        failures=failures,
        latency_ms=latency / timed if timed else None,
        seconds=known / _SECOND,
        up=up / _SECOND,
    )


def write_incident(connection: sqlite3.Connection, incident: Incident) -> None:
    """Store an incident, or how it ended."""
    started_at, ended_at = micros(incident.started_at), maybe_micros(incident.ended_at)
    row = (incident.id, incident.provider_id, started_at, ended_at, incident.code.value, incident.message)
    connection.execute(_UPSERT_INCIDENT, row)


def incidents(
    connection: sqlite3.Connection, provider_ids: Sequence[str], limit: int, report: Report
) -> dict[str, Sequence[Incident]]:
    """Each provider's incidents, newest first; one that cannot be read is reported and passed over."""
    return {id_: _newest(connection, id_, limit, report) for id_ in provider_ids}


def _newest(connection: sqlite3.Connection, provider_id: str, limit: int, report: Report) -> tuple[Incident, ...]:
    rows = connection.execute(f"{_INCIDENTS} WHERE provider_id = ? ORDER BY started_at DESC, id DESC", (provider_id,))
    return tuple(islice(readable("incident", rows, _incident, report), limit))


def _incident(row: Row) -> Incident:
    id_, provider_id, started_at, ended_at, code, message = row
    require_provider(provider_id)
    require_text(id_, message)
    return Incident(
        id=id_,
        provider_id=provider_id,
        started_at=moment(started_at),
        ended_at=maybe_moment(ended_at),
        code=ProviderErrorCode(code),
        message=message,
    )


def check(connection: sqlite3.Connection) -> None:
    """Read every bucket and incident, so that one that cannot be read is found when the store is opened."""
    require_all(connection.execute(_BUCKETS), _bucket)
    require_all(connection.execute(_INCIDENTS), _incident)


def trim(connection: sqlite3.Connection, now: datetime) -> None:
    """Drop buckets and incidents that no window asks for any more."""
    for width, kept in HEALTH.items():
        oldest = (width // MICROSECOND, micros(now - kept))
        connection.execute("DELETE FROM bucket WHERE width = ? AND start < ?", oldest)
    connection.execute("DELETE FROM incident WHERE ended_at < ?", (micros(now - INCIDENTS),))
