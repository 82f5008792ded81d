import asyncio
import json
import threading
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest
from served_hub import SOURCE, TIME_US, batch, line, wait_until

from loghub.hub.feeds import Feeds
from loghub.hub.settings import Limits
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import Arrivals, StoredEvent
from loghub.hub.tail import Tail
from loghub.hub.threads import Threads
from loghub.query.parse import parse
from loghub.query.tree import Query

pytestmark = pytest.mark.anyio

LIMITS = Limits(lag=1000, heartbeat=0.05)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Reader:
    """A subscriber that reads frame by frame."""

    def __init__(self, store: MemoryStore, query: str = "", cursor: str | None = None, limits: Limits = LIMITS) -> None:
        self._frames = Tail(Feeds(store), parse(query), cursor, limits, Threads()).frames()
        self.cursor = cursor

    async def __aenter__(self) -> "Reader":
        await self.read()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._frames.aclose()

    async def read(self) -> dict[str, Any]:
        """Give the next frame that is no mere heartbeat: those come as time passes."""
        while (frame := await self.next())["type"] == "heartbeat" and "cursor" not in frame:
            pass

        self.cursor = frame.get("cursor", self.cursor)
        return frame

    async def next(self) -> dict[str, Any]:
        """Give the next frame."""
        async with asyncio.timeout(60):
            frame: dict[str, Any] = json.loads(await anext(self._frames))

        return frame

    async def messages(self, count: int) -> list[str]:
        """Read on until there were so many events."""
        found: list[str] = []

        while len(found) < count:
            frame = await self.read()
            assert frame["type"] in ("events", "heartbeat"), frame
            found += [event["message"] for event in frame.get("events", [])]

        return found


def fill(store: MemoryStore, numbers: Sequence[int]) -> None:
    store.append([batch(*(line(str(number)) for number in numbers), first=numbers[0])])


async def test_the_first_frame_comes_at_once_and_names_the_place() -> None:
    store = MemoryStore()
    fill(store, range(1, 4))

    async with aclosing(Tail(Feeds(store), parse(""), None, LIMITS, Threads()).frames()) as frames:
        assert json.loads(await anext(frames)) == {"type": "events", "events": [], "cursor": f"{store.epoch}~3"}


async def test_events_come_in_order_of_arrival_with_their_place() -> None:
    store = MemoryStore()

    async with Reader(store) as reader:
        fill(store, range(1, 3))
        frame = await reader.read()

    assert [event["_id"] for event in frame["events"]] == [f"{SOURCE}-{seq:016x}" for seq in (1, 2)]
    assert frame["cursor"] == frame["events"][-1]["_cursor"] == f"{store.epoch}~2"


async def test_only_what_matches_comes() -> None:
    store = MemoryStore()

    async with Reader(store, "message:*3") as reader:
        fill(store, range(1, 40))
        assert await reader.messages(4) == ["3", "13", "23", "33"]


async def test_a_cursor_resumes_without_a_gap_and_without_an_event_twice() -> None:
    store = MemoryStore(5000)
    found: list[str] = []
    cursor = None

    for start in range(1, 3000, 300):
        async with Reader(store, cursor=cursor, limits=Limits()) as reader:
            fill(store, range(start, start + 200))
            found += await reader.messages(1)
            cursor = reader.cursor

        fill(store, range(start + 200, start + 300))  # nobody is there

    async with Reader(store, cursor=cursor, limits=Limits()) as reader:
        found += await reader.messages(3000 - len(found))

    assert found == [str(number) for number in range(1, 3001)]


async def test_a_cursor_of_another_life_starts_at_the_oldest() -> None:
    store = MemoryStore(2)
    fill(store, range(1, 4))

    for cursor in (f"{'0' * 24}~7", "rubbish"):
        async with Reader(store, cursor=cursor) as reader:
            assert await reader.messages(2) == ["2", "3"]


async def test_a_cursor_ahead_of_the_store_waits_for_what_comes() -> None:
    store = MemoryStore()

    async with Reader(store, cursor=f"{store.epoch}~ffff") as reader:
        fill(store, [1])
        assert await reader.messages(1) == ["1"]


async def test_what_a_bounded_store_no_longer_holds_is_an_exact_gap() -> None:
    store = MemoryStore(10)
    fill(store, range(1, 31))

    async with Reader(store, cursor=f"{store.epoch}~5") as reader:
        gap = await reader.read()
        assert gap == {"type": "gap", "count": 15, "from": f"{store.epoch}~5", "to": f"{store.epoch}~14"}
        assert await reader.messages(10) == [str(number) for number in range(21, 31)]


async def test_a_client_that_is_too_far_behind_is_moved_ahead() -> None:
    store = MemoryStore(5000)

    async with Reader(store) as reader:
        fill(store, range(1, 2001))
        assert await reader.read() == {
            "type": "gap",
            "count": 1500,
            "from": f"{store.epoch}~0",
            "to": f"{store.epoch}~5dc",
        }
        assert await reader.messages(500) == [str(number) for number in range(1501, 2001)]


async def test_a_gap_counts_what_the_store_no_longer_holds_too() -> None:
    store = MemoryStore(5000)
    fill(store, range(1, 8001))

    async with Reader(store, cursor=f"{store.epoch}~0") as reader:
        gap = await reader.read()
        assert (gap["count"], gap["to"]) == (7500, f"{store.epoch}~{7500:x}")  # 3000 are gone, 4500 wait
        assert await reader.messages(500) == [str(number) for number in range(7501, 8001)]


async def test_silence_is_a_heartbeat() -> None:
    async with Reader(MemoryStore()) as reader:
        assert await reader.next() == {"type": "heartbeat"}


async def test_a_place_moves_on_though_nothing_matches() -> None:
    store = MemoryStore()

    async with Reader(store, "nothing") as reader:
        fill(store, range(1, 4))

        while reader.cursor != f"{store.epoch}~3":
            assert not (await reader.read()).get("events")


async def test_frames_are_bounded_in_bytes() -> None:
    store = MemoryStore()

    async with Reader(store, limits=Limits(frame=600)) as reader:
        fill(store, range(1, 7))
        frames = [await reader.read() for _ in range(3)]

    assert [[event["message"] for event in frame["events"]] for frame in frames] == [["1", "2"], ["3", "4"], ["5", "6"]]
    assert [frame["cursor"] for frame in frames] == [f"{store.epoch}~{place}" for place in (2, 4, 6)]


class Measured(MemoryStore):
    """A store that remembers how many bytes of messages were read at once."""

    def __init__(self, maxlen: int) -> None:
        super().__init__(maxlen)
        self.reads: list[int] = []

    def matching(self, query: Query, arrivals: Arrivals, *, now_us: int, limit: int) -> list[StoredEvent]:
        found = super().matching(query, arrivals, now_us=now_us, limit=limit)
        self.reads.append(sum(len(str(stored.event.fields["message"])) for stored in found))
        return found


async def test_a_read_is_bounded_by_bytes_too() -> None:
    store = Measured(2000)
    store.append([batch(*(line("small") for _ in range(600)))])
    store.append([batch(*[line("x" * 200_000)] * 120, *[line("small")] * 600, first=601)])
    tail = Tail(Feeds(store), parse("xxx"), None, Limits(), Threads())
    sizes: list[int] = []
    seen = 0

    while tail._place < 1320:
        frames = tail._read(1320)
        sizes.append(sum(map(len, frames)))
        seen += sum(len(json.loads(frame)["events"]) for frame in frames)

    assert max(sizes) < 5 * 2**20
    assert max(store.reads) < 11 * 2**20
    assert seen == 120


async def test_small_events_come_many_at_once_again() -> None:
    store = MemoryStore(5000)
    store.append([batch(*[line("x" * 200_000)] * 60, *[line("small")] * 3000)])
    tail = Tail(Feeds(store), parse(""), None, Limits(), Threads())
    counts: list[int] = []

    while tail._place < 3060:
        counts.append(sum(len(json.loads(frame)["events"]) for frame in tail._read(3060)))

    assert sum(counts) == 3060
    assert min(counts) < 30
    assert max(counts) == 500


async def test_a_relative_time_moves_along_with_the_clock() -> None:
    store = MemoryStore()
    now = TIME_US + 60_000_000
    tail = Tail(Feeds(store), parse("ts>-15m"), None, LIMITS, Threads(), clock_us=lambda: now)
    fill(store, [1])
    assert len(tail._read(1)) == 1
    now += 20 * 60_000_000
    fill(store, [2])
    assert not tail._read(2)


async def test_appends_of_many_threads_all_come_once() -> None:
    store = MemoryStore(5000)

    def write() -> None:
        for _ in range(200):
            store.append_line(line("x"))

    writers = [threading.Thread(target=write) for _ in range(4)]

    async with Reader(store) as reader:
        for writer in writers:
            writer.start()

        found: list[str] = []

        while len(found) < 800:
            found += [event["_id"] for event in (await reader.read()).get("events", [])]

    assert len(set(found)) == 800


async def test_a_subscriber_that_left_is_forgotten() -> None:
    store = MemoryStore()

    async with Reader(store) as reader:
        fill(store, [1])
        await reader.messages(1)
        assert len(store._watchers) == 1

    await asyncio.to_thread(wait_until, lambda: not store._watchers)


async def test_a_store_that_lost_everything_says_so() -> None:
    class Emptied(MemoryStore):
        def after(self, arrival: int, limit: int) -> list[StoredEvent]:
            return [stored for stored in super().after(arrival, limit) if stored.arrival > 3]

    store = Emptied()
    fill(store, range(1, 4))

    async with Reader(store, cursor=f"{store.epoch}~1") as reader:
        assert (await reader.read())["count"] == 2
        fill(store, [4])
        assert await reader.messages(1) == ["4"]


async def test_who_asks_for_a_sample_is_told_of_how_many() -> None:
    store = MemoryStore(5000)
    fill(store, range(1, 1001))
    tail = Tail(Feeds(store), parse(""), f"{store.epoch}~0", LIMITS, Threads(), sample=10)
    seen: list[str] = []
    shown = of = 0

    async with asyncio.timeout(60), aclosing(tail.frames()) as frames:
        while of < 1000:
            frame = json.loads(await anext(frames))
            seen += [event["message"] for event in frame.get("events", ())]
            shown += frame.get("shown", 0)
            of += frame.get("of", 0)

    assert of == 1000
    assert shown == len(seen) < 60
    assert seen == sorted(set(seen), key=int)
