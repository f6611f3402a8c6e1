"""Facts on their way between processes, and what thousands of them have in common."""

import pickle

from hypothesis import given

from catalogue.facts import ModelFacts
from catalogue.vocabulary import Capability, Modality
from tests.catalogue.strategies import facts, model

SAID = {
    "capabilities": [Capability.CHAT, Capability.TOOLS, Capability.VISION],
    "lacking": [Capability.REASONING],
    "input_modalities": [Modality.TEXT, Modality.IMAGE],
    "output_modalities": [Modality.TEXT],
}


@given(facts())
def test_facts_that_another_process_handed_over_are_the_same_facts(said: ModelFacts) -> None:
    handed: ModelFacts = pickle.loads(pickle.dumps(said))  # noqa: S301 - its own words

    assert handed == said
    assert ModelFacts.model_validate_json(handed.model_dump_json(exclude_defaults=True)) == said
    assert handed.model_copy(update={"name": "else"}) == said.model_copy(update={"name": "else"})


def test_models_that_can_do_the_same_hold_one_set_together() -> None:
    one, other = model("one", **SAID), model("other", **SAID)
    kept = ModelFacts.model_validate_json(other.model_dump_json(exclude_defaults=True))

    assert all(getattr(one, said) is getattr(other, said) is getattr(kept, said) for said in SAID)


def test_a_list_handed_over_weighs_no_more_for_what_its_models_have_in_common() -> None:
    rows = [model(f"m{number}", **SAID) for number in range(50)]
    handed: list[ModelFacts] = pickle.loads(pickle.dumps(rows))  # noqa: S301 - its own words

    for said in SAID:
        assert len({id(getattr(row, said)) for row in handed}) == 1
