"""A model's capabilities, from claims that are true, false or unknown."""

import re
from collections.abc import Collection, Mapping
from typing import TypedDict

from catalogue.facts import ModelFacts, shared
from catalogue.vocabulary import Capability, Modality

Claims = Mapping[Capability, bool | None]
Modalities = tuple[Modality, ...]

_CODE_WORD = re.compile(
    r"(?<![a-z])(?:(?:deep|open|star|wizard)?coder|cod(?:e|ex|ing|egemma|egeex|ellama|estral)|devstral)(?![a-z])"
)
_INPUT_MODALITY = {
    Capability.VISION: Modality.IMAGE,
    Capability.AUDIO_INPUT: Modality.AUDIO,
    Capability.VIDEO_INPUT: Modality.VIDEO,
    Capability.FILE_INPUT: Modality.FILE,
}
_OUTPUT_MODALITY = {
    Capability.CHAT: Modality.TEXT,
    Capability.IMAGE_OUTPUT: Modality.IMAGE,
    Capability.AUDIO_OUTPUT: Modality.AUDIO,
    Capability.VIDEO_OUTPUT: Modality.VIDEO,
    Capability.EMBEDDING: Modality.EMBEDDING,
}


class Stated(TypedDict):
    """The fields of `ModelFacts` that hold capabilities."""

    capabilities: frozenset[Capability]
    lacking: frozenset[Capability]


def stated(claims: Claims) -> Stated:
    """The capabilities that are claimed true, and those that are claimed false; all others are unknown."""
    return Stated(
        capabilities=frozenset(capability for capability, claimed in claims.items() if claimed is True),
        lacking=frozenset(capability for capability, claimed in claims.items() if claimed is False),
    )


def from_modalities(
    inputs: Collection[Modality] | None, outputs: Collection[Modality] | None
) -> dict[Capability, bool | None]:
    """The claims that follow from input and from output modalities; none from those that are unknown."""
    claims: dict[Capability, bool | None] = {}
    for listed, by in ((inputs, _INPUT_MODALITY), (outputs, _OUTPUT_MODALITY)):
        if listed:
            claims |= {capability: modality in listed for capability, modality in by.items()}
    return claims


def reconcile_modalities(facts: ModelFacts) -> ModelFacts:
    """Make the modalities agree with the capabilities, whichever of the two the provider stated.

    A model with vision takes images, one without takes none. Text follows from no capability, but lists use "vision"
    for language models: a model with vision whose modalities are unknown takes text as well.
    """
    taken = facts.input_modalities
    if not taken and Capability.VISION in facts.capabilities and Capability.CHAT not in facts.lacking:
        taken = (Modality.TEXT,)
    inputs = _modalities(facts, taken, _INPUT_MODALITY)
    outputs = _modalities(facts, facts.output_modalities, _OUTPUT_MODALITY)
    if (inputs, outputs) == (facts.input_modalities, facts.output_modalities):
        return facts
    return facts.model_copy(update={"input_modalities": shared(inputs), "output_modalities": shared(outputs)})


def _modalities(facts: ModelFacts, listed: Modalities, by: Mapping[Capability, Modality]) -> Modalities:
    known = set(listed).union(by[c] for c in facts.capabilities & by.keys())
    known -= {by[c] for c in facts.lacking & by.keys() - {Capability.CHAT}}
    if Modality.TEXT not in listed:
        known.discard(Modality.TEXT)
    return tuple(m for m in Modality if m in known)


def chat_modalities(claims: Claims) -> Modalities:
    """The modalities, input and output, of a chat model; empty for any other."""
    return (Modality.TEXT,) if claims.get(Capability.CHAT) else ()


def for_code(*names: str | None) -> bool | None:
    """True if a name or tag shows that the model is made for code, else null: no list states that it is not."""
    own = (name.lower().rpartition("/")[2] for name in names if name)
    return True if any(_CODE_WORD.search(name) for name in own) else None
