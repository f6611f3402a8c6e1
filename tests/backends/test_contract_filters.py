"""The contract of every store: changes are read as they were published, and a filter picks among them."""

from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue.change import Change, ChangeFilter
from tests.backends.conftest import Seat, Store
from tests.backends.histories import History, Step, steps
from tests.backends.samples import seqs
from tests.catalogue.strategies import model

KINDS = (
    "MODEL_ADDED",
    "MODEL_REMOVED",
    "STATUS_CHANGED",
    "PRICE_CHANGED",
    "DETAILS_CHANGED",
    "EXPIRY_ANNOUNCED",
    "EXPIRY_WITHDRAWN",
    "PROVIDER_HEALTH_CHANGED",
    "RESYNC",
)
PROVIDERS = ("acme", "bolt")
models = [f"{id_}/{own}" for id_ in (*PROVIDERS, "nobody") for own in "abcdez"]
filters = st.builds(
    ChangeFilter,
    kinds=st.frozensets(st.sampled_from(KINDS), max_size=4),
    providers=st.frozensets(st.sampled_from((*PROVIDERS, "nobody")), max_size=2),
    models=st.frozensets(st.sampled_from(models), max_size=4),
)
"""Conditions on changes of two providers and their models, some of which meet nothing."""
shared_store = settings(
    max_examples=settings().max_examples * 3 // 5, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@shared_store
@given(data=st.data())
async def test_each_change_is_read_as_it_was_published(seat: Seat, data: st.DataObject) -> None:
    """Facts, status, health, messages, sources and times are as of the change, whatever came after."""
    history = await History.of(await seat.open())
    start = history.seq
    for step in data.draw(steps(*PROVIDERS)):
        await history.take(step, opens=uuid4().hex[:16] if data.draw(st.booleans()) else None)
    page = await (await seat.open()).read(start, 1000, ChangeFilter())
    assert list(page.changes) == history.changes
    assert [type(change) for change in page.changes] == [type(change) for change in history.changes]


@shared_store
@given(data=st.data())
async def test_a_filtered_page_holds_exactly_the_changes_of_the_log_that_pass(
    store: Store, data: st.DataObject
) -> None:
    history = await History.of(store)
    start = history.seq
    for step in data.draw(steps(*PROVIDERS)):
        await history.take(step)
    after, limit = min(start + data.draw(st.integers(0, 30)), history.seq), data.draw(st.integers(1, 12))
    for _ in range(5):
        wanted = data.draw(filters)
        passing = [c for c in history.changes if c.position.seq > after and wanted.passes(c)]
        page = await store.read(after, limit, wanted)
        assert list(page.changes) == passing[:limit]
        assert page.end == (passing[limit - 1].position.seq if len(passing) >= limit else history.seq)
        assert not page.trimmed


@shared_store
@given(data=st.data())
async def test_pages_of_a_filter_follow_each_other_to_the_end_of_the_log(store: Store, data: st.DataObject) -> None:
    history = await History.of(store)
    end = start = history.seq
    for step in data.draw(steps(*PROVIDERS)):
        await history.take(step)
    wanted, limit = data.draw(filters), data.draw(st.integers(1, 4))
    read: list[Change] = []
    while end < history.seq:
        page = await store.read(end, limit, wanted)
        assert page.end > end
        end = page.end
        read += page.changes
    assert read == [change for change in history.changes if change.position.seq > start and wanted.passes(change)]


async def test_a_resync_passes_every_filter(store: Store) -> None:
    history = await History.of(store)
    await history.take(Step(provider="acme", rows=[model("a")]))
    for wanted in (
        ChangeFilter(kinds=frozenset({"PRICE_CHANGED"})),
        ChangeFilter(providers=frozenset({"nobody"})),
        ChangeFilter(models=frozenset({"nobody/a"}), providers=frozenset({"acme"})),
    ):
        page = await store.read(0, 10, wanted)
        assert [change.kind for change in page.changes] == ["RESYNC"]
        assert page.end == history.seq


async def test_filters_of_many_providers_and_models_are_answered(store: Store) -> None:
    history = await History.of(store)
    for number in range(60):
        await history.take(Step(provider=f"p{number}", rows=[model("a")]))
        await history.take(Step(provider=f"p{number}", rows=[model("a"), model("b")]))
    providers = frozenset(f"p{number}" for number in range(600))
    of_all = frozenset(f"p{number}/b" for number in range(600))
    of_providers = await store.read(0, 1000, ChangeFilter(providers=providers, kinds=frozenset(KINDS)))
    assert seqs(of_providers.changes) == seqs(history.changes)
    of_models = await store.read(0, 1000, ChangeFilter(models=of_all))
    assert [c.kind for c in of_models.changes].count("MODEL_ADDED") == 60
