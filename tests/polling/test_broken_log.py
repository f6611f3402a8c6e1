"""A follower whose way leads over a change that cannot be read any more."""

from tests.polling.one_provider import World, listed


async def test_a_follower_over_an_unreadable_change_reads_anew_once_and_goes_on_after_it(one: World) -> None:
    await one.refresh()
    since = one.snapshot.revision.position.cursor
    for names in (("a/new",), ("a/new", "a/newer"), ("a/new", "a/newer", "a/newest")):
        one.calls.list_answer = listed("a/one", "a/two", *names)
        await one.refresh()
    statement = (
        "UPDATE detail SET body = '{}' WHERE id = (SELECT detail FROM change WHERE seq = (SELECT seq - 1 FROM state))"
    )
    await one.store._run(lambda connection: connection.execute(statement))
    one.feed._recent.clear()
    stream = one.feed.follow(since)
    told = await anext(stream)
    assert (told.kind, told.position.seq) == ("RESYNC", one.snapshot.revision.position.seq)
    one.calls.list_answer = listed("a/one", "a/two", "a/new", "a/newer", "a/newest", "a/last")
    await one.refresh()
    following = await anext(stream)
    assert (following.kind, following.position.seq) == ("MODEL_ADDED", told.position.seq + 1)
