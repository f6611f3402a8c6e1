"""The rows of a snapshot, sorted and grouped once."""

from weakref import ReferenceType, ref

from catalogue.ranking import Ranking, Row
from catalogue.snapshot import Snapshot


class Index:
    """The rows of one snapshot in their default order, by provider and by family."""

    def __init__(self, snapshot: Snapshot) -> None:
        ranking = Ranking()
        self.rows = sorted((Row(*pair) for pair in snapshot.facts()), key=ranking.place)
        self.by_provider: dict[str, list[Row]] = {}
        families: dict[str, list[Row]] = {}
        for row in self.rows:
            self.by_provider.setdefault(row.state.id, []).append(row)
            if row.facts.family is not None:
                families.setdefault(row.facts.family, []).append(row)
        # Most models have no like: thousands of lists of one would only be looked at by the garbage collector.
        self.by_family = {family: rows for family, rows in families.items() if len(rows) > 1}


_indexes: dict[int, tuple[ReferenceType[Snapshot], Index]] = {}


def index_of(snapshot: Snapshot) -> Index:
    """The index of a snapshot, made once and forgotten together with it."""
    key = id(snapshot)
    if key not in _indexes:
        _indexes[key] = (ref(snapshot, lambda _: _indexes.pop(key, None)), Index(snapshot))
    return _indexes[key][1]
