"""The kit that adapters are written with."""

from providers._kit.adapter import Adapter, CallLimits
from providers._kit.capabilities import for_code, from_modalities, stated
from providers._kit.pricing import PriceNames, premium
from providers._kit.row import Row
from providers._kit.units import PER_MILLION, PER_TOKEN

__all__ = [
    "PER_MILLION",
    "PER_TOKEN",
    "Adapter",
    "CallLimits",
    "PriceNames",
    "Row",
    "for_code",
    "from_modalities",
    "premium",
    "stated",
]
