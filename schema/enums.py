"""The enumerations: the catalogue's own words, made GraphQL types once, with their docstrings as descriptions."""

from enum import Enum

import strawberry

from catalogue import price_unit, ranking, vocabulary


class ChangeKind(Enum):
    """What kind of change happened."""

    MODEL_ADDED = "MODEL_ADDED"
    MODEL_REMOVED = "MODEL_REMOVED"
    STATUS_CHANGED = "STATUS_CHANGED"
    PRICE_CHANGED = "PRICE_CHANGED"
    DETAILS_CHANGED = "DETAILS_CHANGED"
    EXPIRY_ANNOUNCED = "EXPIRY_ANNOUNCED"
    EXPIRY_WITHDRAWN = "EXPIRY_WITHDRAWN"
    PROVIDER_HEALTH_CHANGED = "PROVIDER_HEALTH_CHANGED"
    RESYNC = "RESYNC"


_NAMES: dict[type[Enum], str] = {
    vocabulary.ModelStatus: "ModelStatus",
    vocabulary.HealthStatus: "HealthStatus",
    vocabulary.Capability: "Capability",
    vocabulary.Modality: "Modality",
    vocabulary.DataSource: "DataSource",
    vocabulary.KeySource: "KeySource",
    vocabulary.ProviderErrorCode: "ProviderErrorCode",
    vocabulary.BreakerState: "BreakerState",
    vocabulary.UptimeWindow: "UptimeWindow",
    vocabulary.RefreshOutcome: "RefreshOutcome",
    vocabulary.RefreshStep: "RefreshStep",
    vocabulary.EndpointState: "EndpointState",
    vocabulary.KeyCheckOutcome: "KeyCheckOutcome",
    vocabulary.MigrationReason: "MigrationReason",
    price_unit.PricingUnit: "PricingUnit",
    ranking.OrderField: "ModelOrderField",
    ranking.Direction: "OrderDirection",
    ChangeKind: "ChangeKind",
}

for _enum, _name in _NAMES.items():
    strawberry.enum(_enum, name=_name, description=_enum.__doc__)
