"""What a model can do and cannot, from claims that are yes, no or not made."""

import re
from collections.abc import Collection, Mapping

from catalogue.vocabulary import Capability, Modality

Claims = Mapping[Capability, bool | None]

_CODE_WORD = re.compile(
    r"(?<![a-z])(?:(?:deep|open|star|wizard)?coder|cod(?:e|ex|ing|egemma|egeex|ellama|estral)|devstral)(?![a-z])"
)
_TAKES = {
    Capability.VISION: Modality.IMAGE,
    Capability.AUDIO_INPUT: Modality.AUDIO,
    Capability.VIDEO_INPUT: Modality.VIDEO,
    Capability.FILE_INPUT: Modality.FILE,
}
_GIVES = {
    Capability.CHAT: Modality.TEXT,
    Capability.IMAGE_OUTPUT: Modality.IMAGE,
    Capability.AUDIO_OUTPUT: Modality.AUDIO,
    Capability.VIDEO_OUTPUT: Modality.VIDEO,
    Capability.EMBEDDING: Modality.EMBEDDING,
}


def having(claims: Claims) -> frozenset[Capability]:
    """What is claimed to be there."""
    return frozenset(capability for capability, claimed in claims.items() if claimed is True)


def lacking(claims: Claims) -> frozenset[Capability]:
    """What is claimed not to be there."""
    return frozenset(capability for capability, claimed in claims.items() if claimed is False)


def taken(inputs: Collection[Modality] | None) -> dict[Capability, bool | None]:
    """What follows from the forms of data that a model takes; nothing where they are not said."""
    return {} if not inputs else {capability: form in inputs for capability, form in _TAKES.items()}


def given(outputs: Collection[Modality] | None) -> dict[Capability, bool | None]:
    """What follows from the forms of data that a model gives; nothing where they are not said."""
    return {} if not outputs else {capability: form in outputs for capability, form in _GIVES.items()}


def for_code(*names: str | None) -> bool | None:
    """Whether a model is made for code, by a word of its own name or a tag; null otherwise, as nobody says no."""
    own = (name.lower().rpartition("/")[2] for name in names if name)
    return True if any(_CODE_WORD.search(name) for name in own) else None
