"""The changes that a follower wants, as a value that the database can evaluate."""

from dataclasses import dataclass

from catalogue.change import Change, ModelChange

RESYNC = "RESYNC"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFilter:
    """Conditions on changes, all of which hold; an empty set is no condition. A Resync always passes."""

    kinds: frozenset[str] = frozenset()
    """Any of these kinds."""
    providers: frozenset[str] = frozenset()
    """Of any of these providers."""
    models: frozenset[str] = frozenset()
    """Of any of these models."""

    def passes(self, change: Change) -> bool:
        """Whether a change meets all conditions."""
        if change.kind == RESYNC:
            return True
        return (
            (not self.kinds or change.kind in self.kinds)
            and (not self.providers or change.provider_id in self.providers)
            and (not self.models or (isinstance(change, ModelChange) and change.model.facts.id in self.models))
        )


EVERYTHING = ChangeFilter()
