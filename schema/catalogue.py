"""The catalogue as a whole."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from catalogue.provider import ProviderState
from schema.declaration import field, output
from schema.policy import Known, Policy, Reads
from schema.provider import Provider
from schema.scalars import Cursor


@output(Reads.REVISION)
class Catalogue:
    """The catalogue as a whole, at one revision."""

    revision: int = field("The number of the revision. Increases by one whenever a model's facts or status change.")
    cursor: Cursor = field(
        "The position in the change log of this response. Subscribe with it as `since` to receive all later changes.",
        Policy(Reads.REVISION | Reads.HEALTH),
    )
    last_updated: datetime | None = field("The time of the revision. Null before the first change.")
    total_models: int = field(
        "The number of models in the catalogue: of each provider's latest list or, until it arrives, of packaged data."
    )
    cache_hit: bool = field("Whether the response came from memory alone. False if it waited for the caller's list.")
    providers: Sequence[ProviderState] = field(
        "All providers, by name.", Policy(Reads.REVISION, rows=Known.PROVIDERS), graphql_type=list[Provider]
    )
    user_provided_keys: list[strawberry.ID] = field(
        "The ids of the providers whose models in this response were listed with the caller's own key."
    )
