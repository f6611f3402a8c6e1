"""One entry of a list as received, with typed getters that accept any value in a field."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TypeVar

from catalogue.vocabulary import Modality
from providers._kit import units

_NAME_LIMIT, _TEXT_LIMIT, _ID_LIMIT, _WORDS_LIMIT = 300, 4_000, 300, 200
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

T = TypeVar("T")


class RowError(Exception):
    """The row cannot be read: it is dropped and counted."""


class Row:
    """A JSON object; each getter takes the possible names of a field and returns the first usable value, or null."""

    __slots__ = ("_values", "provider_id")

    def __init__(self, values: Mapping[str, object], provider_id: str) -> None:
        self._values = values
        self.provider_id = provider_id

    def __contains__(self, name: str) -> bool:
        """Whether the row has the field with a value other than null."""
        return self._values.get(name) is not None

    def values(self, *names: str) -> Iterator[object]:
        """The values of the fields, without nulls."""
        return (value for name in names if (value := self._values.get(name)) is not None)

    def first(self, names: Iterable[str], convert: Callable[[object], T | None]) -> T | None:
        """The first value that `convert` does not turn into null."""
        converted = (convert(value) for value in self.values(*names))
        return next((value for value in converted if value is not None), None)

    def of_kind(self, names: Iterable[str], kind: type[T]) -> T | None:
        """The first value of a type."""
        return next((value for value in self.values(*names) if isinstance(value, kind)), None)

    def id(self, *names: str) -> str:
        """The provider's own model id; raises RowError without one that can be displayed and used in a URL's path."""
        for value in self.values(*names):
            if isinstance(value, str) and len(value) <= _ID_LIMIT and not _CONTROL.search(value):
                id_ = value.strip()
                if id_ and not {".", ".."}.intersection(id_.split("/")):
                    return id_
        raise RowError

    def name(self, *names: str) -> str | None:
        """A short single-line text."""
        for value in self.values(*names):
            if isinstance(value, str) and (clean := _CONTROL.sub("", value).strip()):
                return clean[:_NAME_LIMIT]
        return None

    def text(self, *names: str) -> str | None:
        """A text of several lines, truncated if it is very long."""
        for value in self.values(*names):
            if isinstance(value, str) and (clean := _UNPRINTABLE.sub("", value).strip()):
                return clean if len(clean) <= _TEXT_LIMIT else f"{clean[: _TEXT_LIMIT - 1]}…"
        return None

    def count(self, *names: str) -> int | None:
        """A positive integer; 0 counts as null, since providers write 0 for unknown."""
        return self.first(names, units.count)

    def number(self, *names: str) -> float | None:
        """A number that is not a price."""
        found = self.first(names, units.number)
        return None if found is None else float(found)

    def flag(self, *names: str) -> bool | None:
        """A boolean, or null."""
        return self.of_kind(names, bool)

    def usd(self, *names: str, per: Decimal = units.PER_TOKEN) -> Decimal | None:
        """A price in USD per token (or other billed unit), from an amount for `per` of them."""
        return self.first(names, partial(units.usd, per=per))

    def start(self, *names: str) -> datetime | None:
        """A time in UTC; a date without a time is the start of that UTC day."""
        return self.first(names, units.moment)

    def end(self, *names: str) -> datetime | None:
        """A time in UTC; a date without a time is the last second of that UTC day."""
        return self.first(names, partial(units.moment, day_ends=True))

    def cutoff(self, *names: str) -> str | None:
        """A knowledge cutoff as YYYY, YYYY-MM or YYYY-MM-DD."""
        return self.first(names, units.cutoff)

    def clock(self, *names: str) -> str | None:
        """A time of day as HH:MM."""
        return self.first(names, units.clock)

    def words(self, *names: str) -> tuple[str, ...] | None:
        """A list of strings; null if there is no list, empty if the list is empty."""
        found = self.of_kind(names, list)
        if found is None:
            return None
        words = (_CONTROL.sub("", str(word)) for word in found[:_WORDS_LIMIT] if isinstance(word, str | int))
        return tuple(word[:_NAME_LIMIT] for word in words if word)

    def modalities(self, *names: str) -> tuple[Modality, ...] | None:
        """The known modalities in a list, without duplicates; null if there is no list."""
        words = self.words(*names)
        if words is None:
            return None
        found = {_MODALITIES.get(word.lower()) for word in words}
        return tuple(modality for modality in Modality if modality in found)

    def row(self, *names: str) -> "Row":
        """A nested object, or an empty one."""
        return Row(self.of_kind(names, dict) or {}, self.provider_id)

    def over(self, other: "Row") -> "Row":
        """This row, with the other's values for the fields that are missing or null here."""
        own = {name: value for name, value in self._values.items() if value is not None}
        return Row({**other._values, **own}, self.provider_id)  # noqa: SLF001  the other is a Row too

    def where(self, keep: Callable[[object], bool]) -> "Row":
        """This row with only the fields whose value `keep` accepts."""
        return Row({name: value for name, value in self._values.items() if keep(value)}, self.provider_id)

    def rows(self, *names: str) -> tuple["Row", ...]:
        """The objects in a nested list."""
        found = self.of_kind(names, list) or []
        return tuple(Row(value, self.provider_id) for value in found[:_WORDS_LIMIT] if isinstance(value, dict))
