"""The dependencies that all coordinators share."""

from dataclasses import dataclass
from random import Random

from catalogue.guard import GuardLimits
from catalogue.ports.clock import Clock
from catalogue.ports.reading import Reader
from catalogue.ports.revisions import Revisions
from polling.history import HealthRecorder
from polling.ledger import Ledger
from polling.progress import Progress
from polling.schedule import Timing
from upstream.parsing import Parser


@dataclass(frozen=True, slots=True, kw_only=True)
class PollingDeps:
    """One of each, made once."""

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
