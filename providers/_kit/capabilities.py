"""A model's capabilities, from claims that are true, false or unknown."""

import re
from collections.abc import Collection, Mapping

from catalogue.facts import ModelFacts, knows, shared
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


def supported(claims: Claims) -> frozenset[Capability]:
    """The capabilities claimed to be supported."""
    return frozenset(capability for capability, claimed in claims.items() if claimed is True)


def unsupported(claims: Claims) -> frozenset[Capability]:
    """The capabilities claimed not to be supported."""
    return frozenset(capability for capability, claimed in claims.items() if claimed is False)


def from_inputs(inputs: Collection[Modality] | None) -> dict[Capability, bool | None]:
    """The claims that follow from input modalities; none if these are unknown."""
    return {} if not inputs else {capability: modality in inputs for capability, modality in _INPUT_MODALITY.items()}


def from_outputs(outputs: Collection[Modality] | None) -> dict[Capability, bool | None]:
    """The claims that follow from output modalities; none if these are unknown."""
    return {} if not outputs else {capability: modality in outputs for capability, modality in _OUTPUT_MODALITY.items()}


def reconcile_modalities(facts: ModelFacts) -> ModelFacts:
    """Make the modalities agree with the capabilities, whichever of the two the provider stated.

    A model with vision takes images, one without takes none. Text follows from no capability, but lists use "vision"
    for language models: a model with vision whose modalities are unknown takes text as well.
    """
    inputs = _modalities(facts, facts.input_modalities or _text_of_vision_model(facts), _INPUT_MODALITY)
    outputs = _modalities(facts, facts.output_modalities, _OUTPUT_MODALITY)
    if (inputs, outputs) == (facts.input_modalities, facts.output_modalities):
        return facts
    return facts.model_copy(update={"input_modalities": inputs, "output_modalities": outputs})


def _text_of_vision_model(facts: ModelFacts) -> Modalities:
    is_language_model = knows(facts, Capability.VISION) and knows(facts, Capability.CHAT) is not False
    return (Modality.TEXT,) if is_language_model else ()


def _modalities(facts: ModelFacts, listed: Modalities, by: Mapping[Capability, Modality]) -> Modalities:
    known: dict[Modality, bool | None] = {m: knows(facts, c) for c, m in by.items() if m is not Modality.TEXT}
    stated = {m: m in listed if known.get(m) is None else known[m] for m in Modality}
    return shared(tuple(m for m in Modality if stated[m]))


def chat_modalities(claims: Claims) -> Modalities:
    """The modalities, input and output, of a chat model; empty for any other."""
    return (Modality.TEXT,) if claims.get(Capability.CHAT) else ()


def for_code(*names: str | None) -> bool | None:
    """True if a name or tag says that the model is made for code, else null: no list says that it is not."""
    own = (name.lower().rpartition("/")[2] for name in names if name)
    return True if any(_CODE_WORD.search(name) for name in own) else None
