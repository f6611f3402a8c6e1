"""One entry of a list as received, read by typed getters that survive whatever stands in a field."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from catalogue.vocabulary import Modality
from providers._kit import units

_NAME_LIMIT, _TEXT_LIMIT, _ID_LIMIT, _WORDS_LIMIT = 300, 4_000, 300, 200
_LARGEST_COUNT = 10**9
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_MODALITIES = {m.value: m for m in Modality} | {
    "pdf": Modality.FILE,
    "document": Modality.FILE,
    "images": Modality.IMAGE,
    "vision": Modality.IMAGE,
    "speech": Modality.AUDIO,
    "transcription": Modality.TEXT,
    "embeddings": Modality.EMBEDDING,
}


class RowError(Exception):
    """The row is garbage: it is dropped and counted."""


class Row:
    """A JSON object; each getter takes the names that a field goes by and gives the first usable value, or null."""

    __slots__ = ("_values", "provider_id")

    def __init__(self, values: Mapping[str, object], provider_id: str) -> None:
        self._values = values
        self.provider_id = provider_id

    def __contains__(self, name: str) -> bool:
        """Whether the row has the field and says something in it: null is as good as missing."""
        return self._values.get(name) is not None

    def values(self, *names: str) -> Iterator[object]:
        """What stands in the fields, nulls left out."""
        for name in names:
            value = self._values.get(name)
            if value is not None:
                yield value

    def id(self, *names: str) -> str:
        """The provider's own model id; RowError where there is none that can be used."""
        for value in self.values(*names):
            if isinstance(value, str) and len(value) <= _ID_LIMIT and _names_a_model(value):
                return value.strip()
        raise RowError

    def name(self, *names: str) -> str | None:
        """A short text on one line."""
        for value in self.values(*names):
            if isinstance(value, str) and (clean := _CONTROL.sub("", value).strip()):
                return clean[:_NAME_LIMIT]
        return None

    def text(self, *names: str) -> str | None:
        """A text of several lines, cut where it is very long."""
        for value in self.values(*names):
            if isinstance(value, str) and (clean := _UNPRINTABLE.sub("", value).strip()):
                return clean if len(clean) <= _TEXT_LIMIT else f"{clean[: _TEXT_LIMIT - 1]}…"
        return None

    def count(self, *names: str) -> int | None:
        """A positive whole number; providers write 0 for unknown."""
        for value in self.values(*names):
            found = units.number(value)
            if found is not None and 0 < found <= _LARGEST_COUNT and found == found.to_integral_value():
                return int(found)
        return None

    def number(self, *names: str) -> float | None:
        """A number that is no money."""
        found = (units.number(value) for value in self.values(*names))
        return next((float(n) for n in found if n is not None), None)

    def flag(self, *names: str) -> bool | None:
        """Yes, no, or not said."""
        return next((value for value in self.values(*names) if isinstance(value, bool)), None)

    def usd(self, *names: str, per: Decimal = units.PER_TOKEN) -> Decimal | None:
        """A price in USD per token (or per whatever is billed), given for `per` of them."""
        found = (units.usd(value, per) for value in self.values(*names))
        return next((amount for amount in found if amount is not None), None)

    def start(self, *names: str) -> datetime | None:
        """A moment; a date without a time is the start of the UTC day."""
        found = (units.moment(value) for value in self.values(*names))
        return next((at for at in found if at is not None), None)

    def end(self, *names: str) -> datetime | None:
        """A moment; a date without a time is the last second of the UTC day."""
        found = (units.moment(value, day_ends=True) for value in self.values(*names))
        return next((at for at in found if at is not None), None)

    def cutoff(self, *names: str) -> str | None:
        """A knowledge cutoff."""
        found = (units.cutoff(value) for value in self.values(*names))
        return next((day for day in found if day is not None), None)

    def clock(self, *names: str) -> str | None:
        """A time of day."""
        found = (units.clock(value) for value in self.values(*names))
        return next((at for at in found if at is not None), None)

    def words(self, *names: str) -> tuple[str, ...] | None:
        """A list of words; null where there is no list, empty where the list is."""
        for value in self.values(*names):
            if isinstance(value, list):
                words = (str(word) for word in value[:_WORDS_LIMIT] if isinstance(word, str | int))
                return tuple(clean[:_NAME_LIMIT] for word in words if (clean := _CONTROL.sub("", word)))
        return None

    def modalities(self, *names: str) -> tuple[Modality, ...] | None:
        """Known forms of data, each once, in the vocabulary's order; null where the row has no such list."""
        words = self.words(*names)
        if words is None:
            return None
        found = {_MODALITIES.get(word.lower()) for word in words}
        return tuple(modality for modality in Modality if modality in found)

    def row(self, *names: str) -> "Row":
        """An object in the row; an empty one where there is none."""
        found = next((value for value in self.values(*names) if isinstance(value, dict)), {})
        return Row(found, self.provider_id)

    def over(self, other: "Row") -> "Row":
        """This row, and what the other says where this one is silent."""
        said = {name: value for name, value in self._values.items() if value is not None}
        return Row({**other._values, **said}, self.provider_id)  # noqa: SLF001  a row may look into another

    def where(self, keep: Callable[[object], bool]) -> "Row":
        """This row with only the fields whose value is to be kept."""
        return Row({name: value for name, value in self._values.items() if keep(value)}, self.provider_id)

    def rows(self, *names: str) -> tuple["Row", ...]:
        """The objects of a list in the row."""
        found = next((value for value in self.values(*names) if isinstance(value, list)), [])
        return tuple(Row(value, self.provider_id) for value in found[:_WORDS_LIMIT] if isinstance(value, dict))


def _names_a_model(id_: str) -> bool:
    """Whether an id can be shown, and used in a URL without leading elsewhere."""
    return bool(id_.strip()) and not _CONTROL.search(id_) and not {".", ".."}.intersection(id_.strip().split("/"))
