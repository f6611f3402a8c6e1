"""The size of the catalogue, on which the cost of an operation depends."""

from dataclasses import dataclass
from typing import Self

from catalogue.snapshot import Snapshot
from schema.policy import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueSize:
    """Numbers of providers and models, including retired models."""

    providers: int
    models: int
    """Models of all providers together."""
    largest: int
    """Models of the provider with the most models."""

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
