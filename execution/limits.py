"""The limits of documents and of their execution."""

from dataclasses import dataclass
from typing import Final

LARGEST_COUNT: Final = 10**9
"""Cap on counts and costs: a hostile document can reach numbers too large for JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimits:
    """Counts are per document unless said otherwise; times are seconds."""

    source: int = 256 * 1024
    """Characters of text."""
    tokens: int = 2_000
    """Lexical tokens, and as many comments."""
    values: int = 2_000
    """Values in the variables, including those in lists and objects."""
    depth: int = 16
    """Levels of nested fields; the standard introspection query fits."""
    aliases: int = 30
    directives: int = 50
    root_fields: int = 20
    """Fields of one operation's root, including fragments."""
    selections: int = 5_000
    """Fields and fragment spreads with all spreads expanded, over all definitions."""
    merges: int = 5_000
    """Pairs of fields with the same response path, which validation compares."""
    errors: int = 5
    """Validation and coercion errors that are reported."""
    cost: int = 50_000
    """Cost of one operation; see `execution.cost`."""
    rows: int = 1_000
    """Maximum size that the cost assumes for a list."""
    answer_rows: int = 200_000
    """Entries of all lists of objects in one answer."""
    answer_bytes: int = 16 * 1024 * 1024
    """Bytes of one answer."""
    seconds: float = 10.0
    """Duration of one operation, or of one event of a subscription."""
    cached_documents: int = 500
    cached_characters: int = 128 * 1024
    """Number and total text of cached documents; a character takes about 160 bytes of memory."""
    introspection: bool = True
    suggestions: bool = False
    """Whether errors may say "Did you mean …?", which reveals the schema."""
