"""The check of a caller's own key."""

from catalogue.provider import ProviderState
from catalogue.vocabulary import KeyCheckOutcome
from schema.declaration import field, output
from schema.policy import Reads
from schema.provider import Provider


@output(Reads.CALLER)
class ProviderKeyCheck:
    """The result of checking the caller's own key."""

    provider: ProviderState = field("The provider that was asked.", graphql_type=Provider)
    outcome: KeyCheckOutcome = field("The outcome of the check.")
    model_count: int | None = field("The number of models that the key can use. Null if unknown.")
    message: str = field("An explanation of the outcome, and what to do about it, for display.")
