"""Made-up facts and lists for property tests: few ids, so that two lists overlap, and every field in every form."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from hypothesis import strategies as st

from catalogue.change import Change
from catalogue.diff import diff
from catalogue.facts import ModelFacts, Price, PriceItem, PriceTier, RateLimit
from catalogue.health import Health
from catalogue.listing import Listing, merged
from catalogue.position import Position
from catalogue.provider import Profile, ProviderState, provider_state
from catalogue.snapshot import Snapshot, snapshot_of
from catalogue.vocabulary import Capability, HealthStatus, Modality

PROVIDER = "acme"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

_NAMES = ("a", "b", "c", "d", "e")

amounts = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(0, 10**12), st.integers(-18, 3)
)
"""USD, of any precision and in any notation."""
counts = st.integers(0, 2_000_000)
words = st.text(max_size=6)
moments = st.integers(-1_000_000_000, 1_000_000_000).map(lambda n: NOW + n * timedelta(milliseconds=1))
capabilities = st.frozensets(st.sampled_from(Capability), max_size=3)
modalities = st.lists(st.sampled_from(Modality), unique=True, max_size=2).map(tuple)
items = st.builds(PriceItem, kind=words, unit=words, amount=amounts)
tiers = st.builds(
    PriceTier,
    above_prompt_tokens=counts,
    utc_start=st.none() | st.just("22:00"),
    input=amounts,
    other=st.lists(items, max_size=1).map(tuple),
)
prices = st.builds(
    Price,
    input=st.none() | amounts,
    output=st.none() | amounts,
    tiers=st.lists(tiers, max_size=1).map(tuple),
    other=st.lists(items, max_size=1).map(tuple),
)
FIELDS: dict[str, st.SearchStrategy[object]] = {
    "name": words,
    "description": words,
    "capabilities": capabilities,
    "lacking": capabilities,
    "input_modalities": modalities,
    "output_modalities": modalities,
    "premium": st.booleans(),
    "context_max": counts,
    "output_max": counts,
    "api_version": words,
    "lab": words,
    "knowledge_cutoff": st.just("2025-01"),
    "open_weights": st.booleans(),
    "price": prices,
    "limits": st.builds(RateLimit, requests_per_minute=counts),
    "released_at": moments,
    "expires_at": moments,
    "deprecated": st.booleans(),
    "successor": words,
    "weights": words,
    "canonical_name": words,
}
"""What a provider may say of a model, each with its forms; what is not drawn is not said."""


@st.composite
def facts(draw: st.DrawFn) -> ModelFacts:
    """One model's facts, with a few things said."""
    said = draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=4, unique=True))
    return model(draw(st.sampled_from(_NAMES)), **{field: draw(FIELDS[field]) for field in said})


lists = st.lists(facts(), max_size=4, unique_by=lambda f: f.id)
"""The rows of one list."""


def model(own_id: str, **said: object) -> ModelFacts:
    """A plain model; `said` are further facts."""
    return ModelFacts.model_validate({"id": f"{PROVIDER}/{own_id}", "provider_id": PROVIDER, "name": own_id} | said)


def listing(*rows: ModelFacts, at: datetime = NOW) -> Listing:
    """A first live list of these rows."""
    return merged(Listing(provider_id=PROVIDER), rows, at=at)


def state(
    of: Listing,
    *,
    health: Health | None = None,
    at: datetime = NOW,
    as_of: datetime | None = NOW,
    list_ttl: timedelta = HOUR,
) -> ProviderState:
    """The state of a provider with this listing, which came at `as_of`; healthy unless said otherwise."""
    healthy = Health(provider_id=PROVIDER, status=HealthStatus.HEALTHY)
    profile = Profile(id=PROVIDER, name="Acme", list_ttl=list_ttl)
    return provider_state(profile, of, health or healthy, as_of=as_of, confirmed=True, now=at)


def snapshot(*states: ProviderState) -> Snapshot:
    """A snapshot of these states."""
    return snapshot_of(states, updated_at=NOW)


def changes(before: ProviderState, after: ProviderState, *, at: datetime = NOW) -> list[Change]:
    """The changes between two states, numbered from 1."""
    return diff(before, after, at=at, since=Position("e", 0))


def baseline(*rows: ModelFacts) -> Listing:
    """The packaged list, which the provider itself never gave."""
    return Listing(provider_id=PROVIDER, models=MappingProxyType({f.id: f for f in rows}))
