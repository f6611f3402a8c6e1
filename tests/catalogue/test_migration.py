"""Following migrations: automatic steps only, never in circles, never without end."""

from hypothesis import given
from hypothesis import strategies as st

from catalogue.migration import LONGEST_PATH, ModelMigration, follow
from catalogue.vocabulary import MigrationReason

ids = st.sampled_from([f"acme/{letter}" for letter in "abcdef"])
steps = st.builds(
    ModelMigration, old_id=ids, new_id=ids, reason=st.sampled_from(MigrationReason), automatic=st.booleans()
)


def step(old: str, new: str, *, automatic: bool = True) -> ModelMigration:
    return ModelMigration(old_id=old, new_id=new, reason=MigrationReason.RENAMED, automatic=automatic)


def test_a_chain_is_followed_to_its_end_whatever_the_order() -> None:
    first, second = step("a", "b"), step("b", "c")
    assert follow("a", [second, first]) == ("c", (first, second))


def test_an_id_without_a_migration_stands_for_itself() -> None:
    assert follow("x", [step("a", "b")]) == ("x", ())


def test_a_proposal_is_not_followed_but_an_automatic_one_after_it_is() -> None:
    proposal, decided = step("a", "b", automatic=False), step("a", "c")
    assert follow("a", [proposal]) == ("a", ())
    assert follow("a", [proposal, decided]) == ("c", (decided,))


def test_of_two_for_one_id_the_first_counts() -> None:
    assert follow("a", [step("a", "b"), step("a", "c")])[0] == "b"


def test_a_circle_ends_before_an_id_comes_again() -> None:
    there, back = step("a", "b"), step("b", "a")
    assert follow("a", [there, back]) == ("b", (there,))
    assert follow("a", [step("a", "a")]) == ("a", ())


def test_a_chain_longer_than_the_bound_is_cut() -> None:
    chain = [step(f"m{n}", f"m{n + 1}") for n in range(LONGEST_PATH + 5)]
    end, path = follow("m0", chain)
    assert (end, len(path)) == (f"m{LONGEST_PATH}", LONGEST_PATH)


@given(ids, st.lists(steps, max_size=12))
def test_a_path_links_up_visits_no_id_twice_and_ends_only_where_it_must(
    start: str, migrations: list[ModelMigration]
) -> None:
    end, path = follow(start, migrations)
    visited = [start, *(taken.new_id for taken in path)]
    assert [taken.old_id for taken in path] == visited[:-1]
    assert visited[-1] == end
    assert len(set(visited)) == len(visited)
    assert all(taken.automatic and taken in migrations for taken in path)
    further = next((m for m in migrations if m.automatic and m.old_id == end), None)
    assert further is None or further.new_id in visited
