"""The dependencies that coordinators share, and those of reading on demand."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from pydantic import SecretStr

from catalogue.guard import GuardLimits
from catalogue.ports.clock import Clock
from catalogue.ports.reading import Reader
from catalogue.ports.revisions import Revisions
from polling.history import HealthRecorder
from polling.ledger import Ledger
from polling.progress import Progress
from polling.schedule import Timing
from upstream.lists import Call
from upstream.parsing import Parser
from upstream.upstream import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class PollingDeps:
    """The dependencies of all coordinators."""

    ledger: Ledger
    reader: Reader
    revisions: Revisions
    parser: Parser
    recorder: HealthRecorder
    progress: Progress
    clock: Clock
    timing: Timing
    guard: GuardLimits
    rng: Random


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDemandDeps:
    """The dependencies of reading endpoints and callers' lists."""

    reader: Reader
    upstreams: Mapping[str, Upstream]
    calls: Mapping[str, Call]
    """With the priority of demand."""
    parser: Parser
    secret: SecretStr
    """Fingerprints keys."""
    clock: Clock
