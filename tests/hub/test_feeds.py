"""Who follows is handed what matches; who cannot keep up is let go, and holds nobody up."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from served_hub import batch, line, wait_until

from loghub.hub import feeds as feeds_module
from loghub.hub.feeds import Feed, Feeds
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import StoredEvent
from loghub.query.parse import parse

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(5000)


@pytest.fixture
def feeds(store: MemoryStore) -> Iterator[Feeds]:
    wait_until(lambda: not threads())  # of earlier tests
    found = Feeds(store)
    yield found
    found.close()


async def begun(feeds: Feeds, query: str = "") -> Feed:
    feed = feeds.follow(parse(query))
    await until(lambda: feed.begins is not None, feed)
    return feed


async def until(is_so: Callable[[], object], feed: Feed) -> None:
    async with asyncio.timeout(60):
        while not is_so():
            await feed.wait(0.05)


def threads() -> int:
    return sum(thread.name == "loghub-tail" for thread in threading.enumerate())


async def test_what_matches_is_handed_on_with_the_place_that_was_reached(store: MemoryStore, feeds: Feeds) -> None:
    store.append_line(line("before"))
    feed = await begun(feeds, "loud")
    store.append([batch(line("loud"), line("quiet"), line("very loud"), line("quiet"))])
    await until(lambda: feed.reached == 5, feed)
    entries, reached = feed.take()

    assert (feed.begins, reached) == (1, 5)
    assert [place for place, _ in entries] == [2, 4]
    assert feed.take() == ([], 5)


async def test_followers_share_the_bytes(store: MemoryStore, feeds: Feeds) -> None:
    one, other = await begun(feeds), await begun(feeds, "loud")
    store.append_line(line("loud"))
    await until(lambda: one.reached == other.reached == 1, one)

    assert one.take()[0][0][1] is other.take()[0][0][1]


async def test_a_feed_that_is_full_is_over_and_says_only_what_it_has(
    store: MemoryStore, feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds_module, "_MOST_ROOM", 2000)
    monkeypatch.setattr(feeds_module, "_LEAST_ROOM", 2000)
    slow, quick = await begun(feeds), await begun(feeds, "2")
    store.append([batch(line("1"))])
    await until(lambda: slow.reached == quick.reached == 1, slow)
    store.append([batch(*[line("2" * 100)] * 20, first=2)])
    await until(lambda: slow.is_over, slow)
    store.append([batch(line("3"), line("2"), first=22)])
    entries, reached = slow.take()

    assert reached == 1
    assert [place for place, _ in entries] == [1]
    assert quick.is_over


async def test_those_that_are_slow_leave_little_room_to_all(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds_module, "_LEAST_ROOM", 500)
    feeds = Feeds(store, room=3000)
    slow = await begun(feeds, "1")
    store.append([batch(*[line("1" * 100)] * 8)])
    await until(lambda: slow.reached == 8, slow)
    assert slow.held > 1500

    quick = await begun(feeds, "2")
    store.append([batch(*[line("2" * 100)] * 10, first=9)])
    await until(lambda: quick.is_over, quick)
    assert not slow.is_over
    feeds.close()


async def test_the_thread_is_there_as_long_as_somebody_follows(store: MemoryStore, feeds: Feeds) -> None:
    for _ in range(3):
        feed, other = await begun(feeds), await begun(feeds)
        assert threads() == 1
        feeds.leave(feed)
        feeds.leave(other)
        await asyncio.to_thread(wait_until, lambda: not threads() and not store._watchers)


async def test_closing_ends_feeds_and_a_later_follower_begins_anew(store: MemoryStore, feeds: Feeds) -> None:
    feed = await begun(feeds)
    feeds.close()
    await until(lambda: feed.is_over, feed)
    feeds.leave(feed)
    again = await begun(feeds)
    store.append_line(line("x"))
    await until(lambda: again.has_news, again)
    assert len(again.take()[0]) == 1


async def test_events_that_are_gone_before_they_were_read_end_the_feeds(feeds: Feeds, store: MemoryStore) -> None:
    feed = await begun(feeds)
    store.append([batch(*[line("x")] * 6000)])
    await until(lambda: feed.is_over, feed)
    assert feed.take()[0] == []


async def test_an_error_of_the_store_is_said_and_ends_the_feeds_not_the_thread(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(MemoryStore):
        breaks = False

        def after(self, arrival: int, limit: int) -> list[StoredEvent]:
            if self.breaks:
                raise OSError("no disk")

            return super().after(arrival, limit)

    monkeypatch.setattr(feeds_module, "_AFTER_ERROR_S", 0.01)
    store = Broken()
    feeds = Feeds(store)
    feed = await begun(feeds)
    store.breaks = True
    store.append_line(line("x"))
    await until(lambda: feed.is_over, feed)
    await asyncio.to_thread(wait_until, lambda: "no disk" in caplog.text)
    store.breaks = False
    feeds.leave(feed)
    again = await begun(feeds)
    store.append_line(line("y"))
    await until(lambda: again.has_news, again)
    feeds.close()


@pytest.mark.parametrize("step", range(10, 35))
async def test_a_signal_handler_may_log_at_any_step_of_a_log_call(store: MemoryStore, feeds: Feeds, step: int) -> None:
    feed = await begun(feeds)
    await feed.wait(0)
    await feed.wait(0.05)  # so that the thread sleeps, and is woken by the call
    steps = 0

    def log_too(*_: object) -> None:
        nonlocal steps
        steps += 1

        if steps == step:
            store.append_line(line("inner"))

    def log() -> None:
        sys.setprofile(log_too)
        store.append_line(line("outer"))
        sys.setprofile(None)

    thread = threading.Thread(target=log, daemon=True)
    thread.start()
    await asyncio.to_thread(thread.join, 60)
    assert not thread.is_alive()
    await until(lambda: feed.reached == store.newest(), feed)


async def test_a_follower_leaves_the_thread_that_it_joined(store: MemoryStore) -> None:
    feeds = Feeds(store)
    first = await begun(feeds)
    feeds._pump = None  # as if another loop had made one at the same moment
    second = await begun(feeds)
    feeds.leave(first)
    feeds.leave(second)
    await asyncio.to_thread(wait_until, lambda: threads() == 0)


async def test_who_follows_while_the_thread_ends_is_not_left_waiting(store: MemoryStore) -> None:
    feeds = Feeds(store)
    await begun(feeds)
    assert feeds._pump is not None
    feeds._pump.close()
    late = feeds.follow(parse(""))
    assert late.is_over
    assert late.begins is not None
