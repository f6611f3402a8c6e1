"""What a model can do and cannot, from claims that are yes, no or not made."""

import re
from collections.abc import Collection, Mapping

from catalogue.facts import ModelFacts, knows, shared
from catalogue.vocabulary import Capability, Modality

Claims = Mapping[Capability, bool | None]

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
    """What is claimed to be there."""
    return frozenset(capability for capability, claimed in claims.items() if claimed is True)


def unsupported(claims: Claims) -> frozenset[Capability]:
    """What is claimed not to be there."""
    return frozenset(capability for capability, claimed in claims.items() if claimed is False)


def from_inputs(inputs: Collection[Modality] | None) -> dict[Capability, bool | None]:
    """What follows from the forms of data that a model takes; nothing where they are not said."""
    return {} if not inputs else {capability: form in inputs for capability, form in _INPUT_MODALITY.items()}


def from_outputs(outputs: Collection[Modality] | None) -> dict[Capability, bool | None]:
    """What follows from the forms of data that a model gives; nothing where they are not said."""
    return {} if not outputs else {capability: form in outputs for capability, form in _OUTPUT_MODALITY.items()}


def reconcile_modalities(facts: ModelFacts) -> ModelFacts:
    """The facts with forms of data that agree with the capabilities, whichever of the two the provider stated.

    What sees takes images, and what does not see takes none. Text follows from no capability alone: a chat says so
    itself. But lists say "vision" of language models, so where one lists no forms, what sees takes text as well.
    """
    inputs = _forms(facts, facts.input_modalities or _read_beside_images(facts), _INPUT_MODALITY)
    outputs = _forms(facts, facts.output_modalities, _OUTPUT_MODALITY)
    if (inputs, outputs) == (facts.input_modalities, facts.output_modalities):
        return facts
    return facts.model_copy(update={"input_modalities": inputs, "output_modalities": outputs})


def _read_beside_images(facts: ModelFacts) -> tuple[Modality, ...]:
    is_language_model = knows(facts, Capability.VISION) and knows(facts, Capability.CHAT) is not False
    return (Modality.TEXT,) if is_language_model else ()


def _forms(facts: ModelFacts, listed: tuple[Modality, ...], by: Mapping[Capability, Modality]) -> tuple[Modality, ...]:
    known: dict[Modality, bool | None] = {
        form: knows(facts, capability) for capability, form in by.items() if form is not Modality.TEXT
    }
    stated = {form: form in listed if known.get(form) is None else known[form] for form in Modality}
    return shared(tuple(form for form in Modality if stated[form]))


def chat_modalities(claims: Claims) -> tuple[Modality, ...]:
    """The form of data that a model is known to take and give by being said to be a chat."""
    return (Modality.TEXT,) if claims.get(Capability.CHAT) else ()


def for_code(*names: str | None) -> bool | None:
    """Whether a model is made for code, by a word of its own name or a tag; null otherwise, as nobody says no."""
    own = (name.lower().rpartition("/")[2] for name in names if name)
    return True if any(_CODE_WORD.search(name) for name in own) else None
