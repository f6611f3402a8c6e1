"""Built snapshots: two providers, a handful of models, and one moment as of which all is evaluated."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from catalogue.facts import ModelFacts, Price, PriceItem, PriceTier, RateLimit
from catalogue.health import Health, Problem, Problems
from catalogue.listing import Listing
from catalogue.position import Position
from catalogue.provider import Profile, ProviderState, provider_state
from catalogue.snapshot import Snapshot, snapshot_of
from catalogue.vocabulary import Capability, HealthStatus, KeySource, Modality

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def facts(id_: str, **said: Any) -> ModelFacts:
    provider_id, _, own = id_.partition("/")
    return ModelFacts(**{"id": id_, "provider_id": provider_id, "name": own, **said})


def state(
    provider_id: str, models: Iterable[ModelFacts], *, as_of: datetime = NOW - timedelta(minutes=1), **changed: Any
) -> ProviderState:
    """A provider whose list is one minute old."""
    health = {"status": HealthStatus.HEALTHY, "last_checked": NOW, "latency_ms": 12.5, **changed.pop("health", {})}
    listing = {"models": MappingProxyType({m.id: m for m in models}), **changed.pop("listing", {})}
    profile = {"name": provider_id.title(), "key_source": KeySource.ENVIRONMENT, **changed.pop("profile", {})}
    return provider_state(
        Profile(id=provider_id, **profile),
        Listing(provider_id=provider_id, is_reference=True, **listing),
        Health(provider_id=provider_id, **health),
        as_of=as_of,
        confirmed=True,
        now=NOW,
    )


def failing(problem: Problem) -> Problems:
    """The last call ended in this problem."""
    return Problems(call=problem)


def position(seq: int) -> Position:
    return Position("abc", seq)


def snapshot(*states: ProviderState, revision: int = 7, seq: int = 42) -> Snapshot:
    return snapshot_of(states, number=revision, position=position(seq), updated_at=NOW - timedelta(minutes=5))


OPUS = facts(
    "alpha/lab/opus",
    name="Opus",
    description="A large model.",
    capabilities=frozenset({Capability.TOOLS, Capability.CHAT, Capability.VISION}),
    lacking=frozenset({Capability.EMBEDDING}),
    input_modalities=(Modality.TEXT, Modality.IMAGE),
    output_modalities=(Modality.TEXT,),
    premium=True,
    context_max=200_000,
    output_max=64_000,
    lab="Lab",
    limits=RateLimit(requests_per_minute=60),
    price=Price(
        input=Decimal("0.0000031"),
        output=Decimal("0.000015"),
        cache_read=Decimal("0.0000003"),
        request=Decimal("0.01"),
        tiers=(
            PriceTier(
                above_prompt_tokens=200_000,
                input=Decimal("0.0000062"),
                other=(PriceItem(kind="audio", unit="token", amount=Decimal("0.0000025")),),
            ),
        ),
        other=(PriceItem(kind="web_search", unit="search", amount=Decimal("0.005")),),
    ),
    released_at=datetime(2026, 1, 1, tzinfo=UTC),
    weights="lab/opus",
)
MINI = facts(
    "alpha/lab/mini",
    name="mini",
    capabilities=frozenset({Capability.CHAT}),
    lacking=frozenset({Capability.VISION}),
    premium=False,
    context_max=8_000,
    price=Price(input=Decimal(0), output=Decimal(0)),
    released_at=datetime(2025, 1, 1, tzinfo=UTC),
    expires_at=datetime(2026, 6, 1, tzinfo=UTC),
    successor="lab/opus",
)
SECRET = facts("alpha/zeta", name="Zeta")
OTHER_OPUS = facts(
    "beta/opus",
    name="opus",
    capabilities=frozenset({Capability.CHAT}),
    premium=True,
    context_max=100_000,
    price=Price(input=Decimal("0.000004")),
    weights="lab/opus",
)

ALPHA = state("alpha", [OPUS, MINI, SECRET], profile={"website": "https://alpha.example"})
BETA = state(
    "beta",
    [OTHER_OPUS],
    as_of=NOW - timedelta(hours=1),
    listing={"first_seen": MappingProxyType({OTHER_OPUS.id: NOW - timedelta(days=1)})},
)
WORLD = snapshot(ALPHA, BETA)
