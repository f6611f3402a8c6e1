"""What one document may ask for: every limit of the GraphQL front that holds before and while an operation runs."""

from dataclasses import dataclass
from typing import Final

LARGEST_COUNT: Final = 10**9
"""Where counts and costs end: a hostile document reaches numbers that JSON cannot carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimits:
    """Counts are per document unless said otherwise; times are seconds."""

    source: int = 256 * 1024
    """Characters of text."""
    tokens: int = 2_000
    """Lexical tokens, and as many comments."""
    values: int = 2_000
    """Values in the variables, those within lists and objects included."""
    depth: int = 16
    """Fields within fields; the standard introspection query fits."""
    aliases: int = 30
    directives: int = 50
    root_fields: int = 20
    """Fields of one operation's root, fragments included."""
    selections: int = 5_000
    """Fields and spreads once every spread is written out, over all definitions."""
    merges: int = 5_000
    """Pairs of fields with one response path, which validation must compare."""
    errors: int = 5
    """Validation and coercion errors that are reported."""
    cost: int = 50_000
    """Cost of one operation; see `execution.cost`."""
    rows: int = 1_000
    """What a list counts as in the cost, at most."""
    answer_rows: int = 200_000
    """Entries of all lists of objects in one answer."""
    answer_bytes: int = 16 * 1024 * 1024
    """Bytes of one answer."""
    seconds: float = 10.0
    """How long one operation, or one event of a subscription, may run."""
    cached_documents: int = 500
    cached_characters: int = 128 * 1024
    """Documents that are kept parsed, and the text they may have together: about 160 bytes of memory a character."""
    introspection: bool = True
    suggestions: bool = False
    """Whether errors may say "Did you mean …?", which spells out the schema."""
