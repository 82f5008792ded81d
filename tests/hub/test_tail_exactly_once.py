"""Whatever happens, a tail has each matching event once and in order of arrival, or a gap that counts it.

Clients come, stop reading, go and come back with their cursor; events arrive late; the hub is started again. In the end
each client reads on to the newest event. What it had, and what its gaps counted, must be what matches.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_batches import START_US, batch, source

from loghub.hub import feeds as feeds_module
from loghub.hub import tail as tail_module
from loghub.hub.feeds import Feeds
from loghub.hub.settings import Limits
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import Store, StoredEvent
from loghub.hub.tail import Tail
from loghub.hub.threads import Threads
from loghub.query.parse import parse
from loghub.query.predicate import predicate

QUERIES = ("", "level:error", "service:service-1", "service:(service-0 OR service-2) level:info", "event", "nothing")
LIMITS = Limits(lag=25, frame=900, heartbeat=0.02)
CLIENTS = 4
_SMALL: dict[ModuleType, dict[str, float]] = {
    feeds_module: {"_SLICE": 7, "_ROUND": 20, "_MOST_BEHIND": 60, "_LEAST_ROOM": 3000, "_SHORTEST_S": 0.001},
    tail_module: {"_BATCH": 9, "_FIRST_BATCH": 4, "_CLOSE": 5, "_NEAR": 12},
}

which = st.integers(0, CLIENTS - 1)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 60), st.integers(-3_600_000_000, 0)),
        st.tuples(st.just("stop reading"), which),
        st.tuples(st.just("read on"), which),
        st.tuples(st.just("come or go"), which),
        st.just(("wait",)),
        st.just(("start the hub again",)),
    ),
    min_size=3,
    max_size=14,
)


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module, values in _SMALL.items():
            for name, value in values.items():
                patch.setattr(module, name, value)

        yield


@dataclass
class Client:
    """A subscriber."""

    query: str
    cursor: str | None = None
    begun: int | None = None
    had: list[dict[str, Any]] = field(default_factory=list)
    gaps: list[tuple[int, int, int]] = field(default_factory=list)
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None

    @property
    def place(self) -> int:
        """The place up to which it has been told."""
        return -1 if self.cursor is None else place(self.cursor)

    def come(self, hub: "Hub") -> None:
        """Connect, with the last cursor."""
        tail = Tail(hub.feeds, parse(self.query), self.cursor, LIMITS, hub.threads)
        self.reads.set()
        self.task = asyncio.create_task(self._read(tail))

    async def go(self) -> None:
        """Break the connection off, wherever it is."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None

    async def _read(self, tail: Tail) -> None:
        async with aclosing(tail.frames()) as frames:
            async for text in frames:
                self._take(json.loads(text))
                await self.reads.wait()

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "gap":
            self.gaps.append((place(frame["from"]), place(frame["to"]), frame["count"]))
            self.cursor = frame["to"]

        if frame["type"] == "events":
            self.had += frame["events"]
            self.cursor = frame["cursor"]
            self.begun = place(frame["cursor"]) if self.begun is None else self.begun

    def check(self, stored: list[StoredEvent]) -> None:
        """Compare what it had with what there is."""
        matches = predicate(parse(self.query), now_us=START_US)
        places = [event.arrival for event in stored if matches(event.event) and event.arrival > (self.begun or 0)]
        ids = {event.arrival: event.id for event in stored}
        had = [place(event["_cursor"]) for event in self.had]
        assert [event["_id"] for event in self.had] == [ids[arrival] for arrival in had]
        told = list(had)

        for start, end, count in self.gaps:
            skipped = [arrival for arrival in places if start < arrival <= end]
            assert count == len(skipped), (start, end)
            told += skipped

        assert sorted(told) == places
        assert had == sorted(had)


def place(cursor: str) -> int:
    return int(cursor.rpartition("~")[2], 16)


class Hub:
    """A store and its feeds."""

    def __init__(self, folder: Path, engine: str) -> None:
        self._folder, self._engine = folder, engine
        self._seqs = dict.fromkeys(range(3), 1)
        self.threads = Threads()
        self._start()

    def _start(self) -> None:
        if self._engine == "memory":
            self.store: Store = getattr(self, "store", None) or MemoryStore(100_000)
        else:
            seal_rows = 30 if self._engine == "duck that seals" else 250_000
            self.store = DuckStore(self._folder, seal_rows=seal_rows, keep_us=2**60)

        self.feeds = Feeds(self.store)

    def append(self, count: int, late_us: int) -> None:
        sender = count % 3
        first = self._seqs[sender]
        self._seqs[sender] += count
        times = [late_us + number for number in range(count)]
        self.store.append([batch(first, count, sender=source(sender), times=times)])

    def restart(self) -> None:
        self.close()
        self._start()

    def close(self) -> None:
        self.feeds.close()
        self.threads.close()
        self.store.close()


class Play:
    """A hub and its clients; each move is a method."""

    def __init__(self, hub: Hub, queries: list[str]) -> None:
        self.hub = hub
        self.clients = [Client(query) for query in queries]

    async def run(self, moves: list[tuple[Any, ...]]) -> None:
        for client in self.clients[1:]:
            client.come(self.hub)

        for move, *details in moves:
            await getattr(self, move.replace(" ", "_"))(*details)

        await self.read_to_the_end()
        stored = self.hub.store.after(0, self.hub.store.newest() + 1)

        for client in self.clients:
            client.check(stored)

    async def append(self, count: int, late_us: int) -> None:
        self.hub.append(count, late_us)

    async def stop_reading(self, number: int) -> None:
        self.clients[number].reads.clear()

    async def read_on(self, number: int) -> None:
        self.clients[number].reads.set()

    async def come_or_go(self, number: int) -> None:
        client = self.clients[number]

        if client.task is None:
            client.come(self.hub)
        else:
            await client.go()

    async def wait(self) -> None:
        await asyncio.sleep(0.005)

    async def start_the_hub_again(self) -> None:
        await asyncio.gather(*(client.go() for client in self.clients))
        self.hub.restart()

        for client in self.clients:
            client.come(self.hub)

    async def read_to_the_end(self) -> None:
        for client in self.clients:
            client.reads.set()

            if client.task is None:
                client.come(self.hub)

        async with asyncio.timeout(60):
            while any(client.place < self.hub.store.newest() for client in self.clients):
                assert not any(client.task and client.task.done() for client in self.clients)
                await self.wait()

        await asyncio.gather(*(client.go() for client in self.clients))


@pytest.mark.parametrize("engine", ["memory", "duck", "duck that seals"])
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=actions, queries=st.lists(st.sampled_from(QUERIES), min_size=CLIENTS, max_size=CLIENTS))
def test_each_event_comes_once_and_in_order_or_is_counted(
    engine: str, moves: list[tuple[Any, ...]], queries: list[str]
) -> None:
    with TemporaryDirectory() as folder, closing(Hub(Path(folder), engine)) as hub:
        asyncio.run(Play(hub, queries).run(moves))
