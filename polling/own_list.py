"""A caller's own list: a provider's list for the caller's key, and the provider as that caller sees it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from catalogue.facts import ModelFacts
from catalogue.health import Health, Problem, Problems
from catalogue.listing import Listing
from catalogue.provider import ProviderState, provider_state
from catalogue.vocabulary import HealthStatus, KeySource, ProviderErrorCode
from upstream.lists import ListVersion

_OF_THE_SERVERS_KEY = frozenset({ProviderErrorCode.UNAUTHORIZED, ProviderErrorCode.UNCONFIGURED})


@dataclass(slots=True, eq=False, kw_only=True)
class OwnList:
    """One caller's list of one provider. It never changes, except that it remembers the last state made from it."""

    listing: Listing
    as_of: datetime
    version: ListVersion
    own_rows: int
    """The number of records that only this list holds in memory."""
    _shown: tuple[ProviderState, ProviderState] | None = field(default=None, init=False)

    def shown(self, public: ProviderState) -> ProviderState:
        """The provider with this list in place of the server's, made once for each state of the server's."""
        if self._shown is None or self._shown[0] is not public:
            own = provider_state(
                replace(public.profile, configured=True, key_source=KeySource.USER),
                self.listing,
                _for_another_key(public.health),
                as_of=self.as_of,
                confirmed=True,
                now=public.statuses.evaluated_at,
            )
            self._shown = (public, own)
        return self._shown[1]


def own_list(
    rows: Iterable[ModelFacts], version: ListVersion, *, public: Listing, before: OwnList | None, at: datetime
) -> OwnList:
    """The list of a key. Rows equal to public ones share their records."""
    models, own_rows = {}, 0
    for row in rows:
        known = public.models.get(row.id)
        shared = known == row
        models[row.id] = known if known is not None and shared else row
        own_rows += not shared
    earlier = before.listing if before else None
    new = {id_: at for id_ in models if earlier and id_ not in earlier.models}
    seen = {**new, **(earlier.first_seen if earlier else {}), **public.first_seen}
    listing = Listing(
        provider_id=public.provider_id,
        models=MappingProxyType(models),
        first_seen=MappingProxyType({id_: seen[id_] for id_ in models if id_ in seen}),
        is_reference=True,
    )
    listing.index  # noqa: B018 - made here, off the event loop
    return OwnList(listing=listing, as_of=at, version=version, own_rows=own_rows)


def refused(public: ProviderState, problem: Problem) -> ProviderState:
    """The provider for a caller whose key it refuses: the public rows, with the reason. Its health stays."""
    message = f"{public.profile.name} refuses the key that you gave. Replace the key, or leave it out."
    return replace(public, health=replace(public.health, problems=Problems(call=replace(problem, message=message))))


def _for_another_key(health: Health) -> Health:
    """The provider's health without the problems of the server's own key."""
    if health.error is None or health.error.code not in _OF_THE_SERVERS_KEY:
        return health
    healthy = health.status is HealthStatus.DEGRADED
    return replace(health, problems=Problems(), status=HealthStatus.HEALTHY if healthy else health.status)
