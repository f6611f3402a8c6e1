"""A caller's own list: what a provider lists for that caller's key, and how the provider then looks to that caller."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from catalogue.facts import ModelFacts
from catalogue.health import Problem, Standing
from catalogue.listing import Listing
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import DataSource, HealthStatus, KeySource, ProviderErrorCode
from upstream.lists import FetchedList, Validators

_OF_THE_SERVERS_KEY = frozenset({ProviderErrorCode.UNAUTHORIZED, ProviderErrorCode.UNCONFIGURED})


class OwnList:
    """One caller's list of one provider; it never changes, and only remembers the last state it was shown in."""

    __slots__ = ("_shown", "digest", "listing", "own_rows", "validators")

    def __init__(self, listing: Listing, *, digest: bytes, validators: Validators | None, own_rows: int) -> None:
        self.listing = listing
        self.digest = digest
        self.validators = validators
        self.own_rows = own_rows
        """How many records are in memory for this list alone."""
        self._shown: tuple[ProviderState, ProviderState] | None = None

    def confirmed(self, validators: Validators | None, *, at: datetime) -> "OwnList":
        """The same list, said once more."""
        listing = replace(self.listing, as_of=at)
        return OwnList(listing, digest=self.digest, validators=validators, own_rows=self.own_rows)

    def shown(self, public: ProviderState, *, now: datetime) -> ProviderState:
        """The provider with this list in place of the server's; judged once for each state of the server's."""
        if self._shown is None or self._shown[0] is not public:
            own = replace(
                public,
                profile=replace(public.profile, configured=True, key_source=KeySource.USER),
                listing=self.listing,
                standing=_for_another_key(public.standing),
            )
            self._shown = (public, own.judged(now))
        return self._shown[1]


def own_list(
    rows: Iterable[ModelFacts], fetched: FetchedList, *, public: Listing, before: OwnList | None, at: datetime
) -> OwnList:
    """The list that a key's rows make, the whole truth for that key; rows equal to public ones share their records."""
    models, own_rows = {}, 0
    for row in rows:
        known = public.models.get(row.id)
        shared = known == row
        models[row.id] = known if known is not None and shared else row
        own_rows += not shared
    seen = {**(before.listing.first_seen if before else {}), **public.first_seen}
    listing = Listing(
        provider_id=public.provider_id,
        models=MappingProxyType(models),
        first_seen=MappingProxyType({id_: seen.get(id_, at) for id_ in models}),
        source=DataSource.LIVE,
        as_of=at,
    )
    return OwnList(listing, digest=fetched.digest, validators=fetched.validators, own_rows=own_rows)


def refused(public: ProviderState, problem: Problem) -> ProviderState:
    """The provider as one sees it whose key it refuses: the public rows, with the reason; its health does not move."""
    said = f"{public.profile.name} refuses the key that you gave. Replace the key, or leave it out."
    return replace(public, standing=replace(public.standing, error=replace(problem, message=said)))


def _for_another_key(standing: Standing) -> Standing:
    """How the provider stands apart from what is wrong with the server's own key."""
    if standing.error is None or standing.error.code not in _OF_THE_SERVERS_KEY:
        return standing
    healthy = standing.status is HealthStatus.DEGRADED
    return replace(standing, error=None, status=HealthStatus.HEALTHY if healthy else standing.status)
