"""What comes in, for all who follow it live: read once, tested once, encoded once, handed on.

Rules:
1. One thread reads what arrives. It begins with the first follower and ends with the last.
2. A follower has a feed: the events that match, as bytes that all feeds share. The thread never waits for a follower.
3. A feed is bounded, and all of them together. One that is full is over: it holds all that matched up to there, and its
   follower reads on from the store, where nothing was lost. So are all feeds when the thread is too far behind, or the
   store does not have what comes next.
4. The more followers, the longer the pause between two rounds, so that frames stay few and large. Ingest goes first:
   after some events the thread lets others run.
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from queue import Empty, SimpleQueue
from typing import TypeAlias

from loghub.hub.answers import event_json
from loghub.hub.dispatch import Dispatch
from loghub.hub.store.protocol import Store, StoredEvent
from loghub.query.tree import Query

Entry: TypeAlias = tuple[int, bytes]
"""An event's arrival number, and the event as the API gives it."""

_SLICE = 100  # events after which others may run
_ROUND = 5_000  # events after which followers are woken, however many more there are
_MOST_BEHIND = 20_000  # events; beyond, each follower reads from the store what it asks for
_ALL_ROOM = 64 * 2**20  # bytes that wait in all feeds; those that feeds share count in each
_MOST_ROOM = 8 * 2**20  # in one
_LEAST_ROOM = 256 * 2**10  # in one, though the others hold all the rest
_SHORTEST_S = 0.02  # between two rounds
_PER_FEED_S = 0.001
_LONGEST_S = 0.25
_WOKEN = 20  # followers at a time
_AFTER_ERROR_S = 1.0
_END_S = 2.0

_logger = logging.getLogger(__name__)


def _now_us() -> int:
    return time.time_ns() // 1000


class Feed:
    """What one follower is handed; it belongs to the event loop on which it was made.

    Attributes:
        query: what the follower asks for.
        begins: the place behind which it has all that matches; None until the thread has seen it.
        reached: the place up to which it has been filled.
        is_over: nothing more is put in.
        end: tells who fills it that its follower has left.
    """

    def __init__(self, query: Query) -> None:
        self.query = query
        self.begins: int | None = None
        self.reached = 0
        self.is_over = False
        self.end: Callable[[], None] = lambda: None
        self.loop = asyncio.get_running_loop()
        self.called = asyncio.Event()
        self._pieces: deque[tuple[Sequence[Entry], int]] = deque()
        self._put = 0  # bytes; only the thread counts here
        self._taken = 0  # only the follower counts here

    def put(self, entries: Sequence[Entry], size: int, room: int) -> None:
        """Hand on events, unless there is no room; from the thread."""
        if self.is_over or self.held + size > room:
            self.is_over = True
            return

        self._put += size
        self._pieces.append((entries, size))

    def take(self) -> tuple[list[Entry], int]:
        """Give what was put in, and the place up to which that is all."""
        reached = self.reached  # before the pieces: those that come meanwhile lie behind it
        taken: list[Sequence[Entry]] = []

        while self._pieces:
            entries, size = self._pieces.popleft()
            self._taken += size
            taken.append(entries)

        return list(chain.from_iterable(taken)), reached

    @property
    def held(self) -> int:
        """Bytes that wait for the follower."""
        return self._put - self._taken

    @property
    def has_news(self) -> bool:
        """Whether the follower has a reason to look."""
        return self.is_over or bool(self._pieces)

    async def wait(self, seconds: float) -> None:
        """Sleep until there is news, or for that long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self.called.wait()

        self.called.clear()


class Feeds:
    """The feeds of one store.

    Args:
        store: where the events are.
        room: bytes that wait in all feeds together.
    """

    def __init__(self, store: Store, *, room: int = _ALL_ROOM) -> None:
        self.store = store
        self._room = room
        self._pid = 0
        self._pump: _Pump | None = None

    def follow(self, query: Query) -> Feed:
        """Give a feed of what matches, from now on; on the loop of its follower."""
        pump = self._pump

        if pump is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._pump = pump = _Pump(self.store, self._room)

        feed = Feed(query)
        feed.end = partial(pump.change, feed, comes=False)  # of this one: another loop may make another meanwhile
        pump.change(feed, comes=True)
        return feed

    def leave(self, feed: Feed) -> None:
        """Put nothing more into a feed."""
        feed.is_over = True
        feed.end()

    def close(self) -> None:
        """End the thread, and all feeds; idempotent. A later follower starts another."""
        pump, self._pump = self._pump, None

        if pump is not None and self._pid == os.getpid():
            pump.close()


class _Pump:
    """The thread."""

    def __init__(self, store: Store, room: int) -> None:
        self._store = store
        self._room = room
        self._called = _Call()
        self._changes: deque[tuple[Feed, bool]] = deque()
        self._feeds: set[Feed] = set()
        self._dispatch: Dispatch[Feed] = Dispatch(_now_us())
        self._place = 0
        self._lock = threading.Lock()
        self._runs = False
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def change(self, feed: Feed, *, comes: bool) -> None:
        """Take a feed in or let it go, soon."""
        self._changes.append((feed, comes))

        with self._lock:
            if self._ending.is_set():  # the follower reads the store, and finds another thread
                feed.begins, feed.is_over = feed.begins or 0, True

            elif not self._runs and comes:
                self._thread = threading.Thread(target=self._run, name="loghub-tail", daemon=True)
                self._thread.start()
                self._runs = True

        self._called.set()

    def close(self) -> None:
        """End the thread, and wait for it, but not for long: it may stand in a read of the disk."""
        with self._lock:
            self._ending.set()

        self._called.set()

        if self._thread is not None:
            self._thread.join(_END_S)

    def _run(self) -> None:
        end_watch = self._store.watch(self._called.set)
        self._place = self._store.newest()

        while True:
            self._called.clear()
            self._admit()

            if not self._goes_on():
                break

            try:
                self._round()
            except Exception:
                _logger.exception("live tails go on by reading the store")
                self._end_feeds()
                self._ending.wait(_AFTER_ERROR_S)

            if self._place >= self._store.newest():
                self._called.wait()

        end_watch()

        if self._ending.is_set():  # otherwise there is none, or another thread has it by now
            self._admit()
            self._end_feeds()

    def _goes_on(self) -> bool:
        with self._lock:
            self._runs = not self._ending.is_set() and bool(self._feeds or self._changes)
            return self._runs

    def _admit(self) -> None:
        while self._changes:
            feed, comes = self._changes.popleft()

            if comes:
                self._dispatch.add(feed.query, feed)
                self._feeds.add(feed)
                feed.begins = feed.reached = self._place
                _call([feed])
            else:
                self._dispatch.remove(feed.query, feed)
                self._feeds.discard(feed)

    def _round(self) -> None:
        """Hand on what came."""
        self._dispatch.tick(_now_us())
        end = self._place + _ROUND

        while self._place < end and not self._ending.is_set() and (events := self._next(self._store.newest())):
            self._hand_on(events)
            self._place = events[-1].arrival
            time.sleep(0)  # whoever waits for the interpreter runs first

        self._flush()

    def _next(self, newest: int) -> list[StoredEvent]:
        """Read on; where that cannot be done without leaving events out, end all feeds and go on with what comes."""
        near = newest - self._place <= _MOST_BEHIND
        events = self._store.after(self._place, _SLICE) if near else []
        follows = events[0].arrival == self._place + 1 if events else newest <= self._place

        if follows:
            return events

        self._place = newest
        self._end_feeds()
        return []

    def _hand_on(self, events: Sequence[StoredEvent]) -> None:
        matched = self._dispatch.find([stored.event for stored in events])
        written = {place: self._entry(events[place]) for place in set[int]().union(*matched.values())}
        sizes = {place: len(text) for place, (_, text) in written.items()}

        free = self._room - sum(feed.held for feed in self._feeds)
        room = max(_LEAST_ROOM, min(_MOST_ROOM, free))

        for group, places in matched.items():
            entries = [written[place] for place in places]
            size = sum(sizes[place] for place in places)

            for feed in group.members:
                feed.put(entries, size, room)

    def _entry(self, stored: StoredEvent) -> Entry:
        return stored.arrival, event_json(stored, self._store.epoch)

    def _flush(self) -> None:
        """Wake who has news, some at a time, so that an event loop has other work done in between."""
        for feed in self._feeds:
            if not feed.is_over:
                feed.reached = self._place

        called = [feed for feed in self._feeds if feed.has_news]
        parts = [called[start : start + _WOKEN] for start in range(0, len(called), _WOKEN)] or [[]]
        pause = min(_LONGEST_S, _SHORTEST_S + _PER_FEED_S * len(self._feeds)) / len(parts)

        for part in parts:
            _call(part)
            self._ending.wait(pause)

    def _end_feeds(self) -> None:
        for feed in self._feeds:
            feed.is_over = True

        _call(self._feeds)


class _Call:
    """As a `threading.Event`, but the lock of that one is not re-entrant.

    An application may log in a signal handler while its thread stands in `set`.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Wake the thread; from any thread, a signal handler or `__del__`."""
        if self._calls.empty():
            self._calls.put(None)

    def clear(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                self._calls.get_nowait()

    def wait(self) -> None:
        self._calls.get()


def _call(feeds: Iterable[Feed]) -> None:
    """Wake followers, each loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Callable[[], None]]] = {}

    for feed in feeds:
        by_loop.setdefault(feed.loop, []).append(feed.called.set)

    for loop, calls in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop has ended, and its followers with it
            loop.call_soon_threadsafe(_do_all, calls)


def _do_all(calls: Iterable[Callable[[], None]]) -> None:
    for call in calls:
        call()
