"""Forms of data and capabilities never contradict each other, whichever of the two a provider states."""

import pytest

from catalogue.facts import ModelFacts
from catalogue.vocabulary import Capability, Modality
from providers._kit.capabilities import reconcile_modalities

PAIRS = [
    ("input_modalities", Capability.VISION, Modality.IMAGE),
    ("input_modalities", Capability.AUDIO_INPUT, Modality.AUDIO),
    ("input_modalities", Capability.VIDEO_INPUT, Modality.VIDEO),
    ("input_modalities", Capability.FILE_INPUT, Modality.FILE),
    ("output_modalities", Capability.IMAGE_OUTPUT, Modality.IMAGE),
    ("output_modalities", Capability.AUDIO_OUTPUT, Modality.AUDIO),
    ("output_modalities", Capability.VIDEO_OUTPUT, Modality.VIDEO),
    ("output_modalities", Capability.EMBEDDING, Modality.EMBEDDING),
]


def forms(field: str, **said: object) -> tuple[Modality, ...]:
    facts = ModelFacts.model_validate({"id": "acme/m", "provider_id": "acme", "name": "M", **said})
    found: tuple[Modality, ...] = getattr(reconcile_modalities(facts), field)
    return found


@pytest.mark.parametrize(("field", "capability", "form"), PAIRS)
def test_what_a_model_can_take_or_give_is_among_its_forms_and_what_it_cannot_is_not(
    field: str, capability: Capability, form: Modality
) -> None:
    assert form in forms(field, capabilities={capability})
    assert forms(field, capabilities={capability}, **{field: (Modality.TEXT,)}) == (Modality.TEXT, form)
    assert forms(field, lacking={capability}, **{field: (Modality.TEXT, form)}) == (Modality.TEXT,)
    assert forms(field, **{field: (Modality.TEXT, form)}) == (Modality.TEXT, form)


def test_what_is_said_to_see_reads_as_well_unless_it_lists_its_forms_or_is_no_chat() -> None:
    sees = {Capability.VISION}
    assert forms("input_modalities", capabilities=sees) == (Modality.TEXT, Modality.IMAGE)
    assert forms("output_modalities", capabilities=sees) == ()
    assert forms("input_modalities", capabilities=sees, input_modalities=(Modality.IMAGE,)) == (Modality.IMAGE,)
    assert forms("input_modalities", capabilities=sees, lacking={Capability.CHAT}) == (Modality.IMAGE,)
    assert forms("input_modalities", capabilities={Capability.AUDIO_INPUT}) == (Modality.AUDIO,)


def test_text_follows_from_no_other_capability() -> None:
    assert forms("output_modalities", capabilities={Capability.CHAT}) == ()
    assert forms("output_modalities", lacking={Capability.CHAT}, output_modalities=(Modality.TEXT,)) == (Modality.TEXT,)
