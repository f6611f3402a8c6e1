"""How large the catalogue is when an operation is costed."""

from dataclasses import dataclass
from typing import Self

from catalogue.snapshot import Snapshot
from schema.policy import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueSize:
    """Numbers of providers and models; models that have ended count too."""

    providers: int
    models: int
    """Of all providers together."""
    largest: int
    """The models of the provider that has most."""

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """The size of a snapshot."""
        sizes = [len(state.listing.models) for state in snapshot.providers.values()]
        return cls(providers=len(sizes), models=sum(sizes), largest=max(sizes, default=0))

    def count(self, known: Known) -> int:
        """The number that a policy refers to."""
        match known:
            case Known.PROVIDERS:
                return self.providers
            case Known.MODELS:
                return self.models
            case Known.MODELS_OF_ONE:
                return self.largest
