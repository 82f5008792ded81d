"""A live subscription: the events that match a query, in the order in which they arrived.

Rules:
1. A tail pulls. It has a position in the order of arrival; an append only wakes it, and it then
   reads what lies behind its position. So nothing is queued for a slow client, and no client
   ever slows ingest.
2. A position has a name, the cursor: a client that lost its connection goes on behind it, without
   a gap and without an event twice. A cursor of another life of the store starts at the oldest event.
3. A client that is too far behind, or for which the store no longer holds what comes next, gets a
   gap frame with the exact number of events that it was moved past, those too that would not have
   matched, and goes on behind them. It is never disconnected for being slow.
4. Frames hold as many events as there are, up to a bound, and so does what one pull reads: fewer
   events where they are large. When nothing is to be said for a while,
   a heartbeat says so.
5. What is relative to now in a query moves along with the clock, within seconds.

Nothing here knows WebSockets: frames are bytes. Subscribers may live on several event loops.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from loghub.hub.answers import event_json, parse_tail_cursor, tail_cursor, to_json
from loghub.hub.settings import Limits
from loghub.hub.store.protocol import Store, StoredEvent
from loghub.hub.threads import Threads
from loghub.query.predicate import Predicate, predicate
from loghub.query.tree import Query

HEARTBEAT = b'{"type":"heartbeat"}'

_BATCH = 500  # events in a pull
_MOST_BYTES = 4 * 2**20  # bytes of events in a pull, and one event more
_RECOMPILE_US = 10_000_000  # microseconds for which a relative time in the query may stand still
_PAUSE = 0.02  # seconds between two pulls while events keep coming, so that they come together


def _now_us() -> int:
    return time.time_ns() // 1000


class Tail:
    """One subscription.

    Args:
        store: where the events are.
        query: what they must match.
        cursor: the position to go on behind; None starts with what comes next.
        limits: when it is moved ahead, how large a frame is, when it says that it is alive.
        threads: for calls to the store.
        skipped: is told of events that it was moved past.
        clock_us: gives the time in microseconds.
    """

    def __init__(
        self,
        store: Store,
        query: Query,
        cursor: str | None,
        limits: Limits,
        threads: Threads,
        *,
        skipped: Callable[[int], object] = lambda _: None,
        clock_us: Callable[[], int] = _now_us,
    ) -> None:
        self._on_skip = skipped
        self._store = store
        self._cursor = cursor
        self._limits = limits
        self._threads = threads
        self._clock_us = clock_us
        self._query = query
        self._compiled_us = clock_us()
        self._matches = predicate(query, now_us=self._compiled_us)
        self._batch = _BATCH  # until it is known how large they are
        self._position = 0
        self._told = 0  # the position in the last frame

    async def frames(self) -> AsyncGenerator[bytes]:
        """Give the frames, without an end."""
        wake = _Wake(asyncio.get_running_loop())
        end_watch = self._store.watch(wake)

        try:
            self._position = await self._threads.call(self._start)
            yield self._frame([])

            async with aclosing(self._pulled(wake)) as frames:
                async for frame in frames:
                    yield frame
        finally:
            end_watch()

    async def _pulled(self, wake: "_Wake") -> AsyncGenerator[bytes]:
        loop = asyncio.get_running_loop()
        silent_from = loop.time()

        while True:
            wake.clear()
            pull = await self._threads.call(self._pull)

            for frame in pull.frames:
                yield frame
                silent_from = loop.time()

            if loop.time() - silent_from >= self._limits.heartbeat:
                yield self._sign_of_life()
                silent_from = loop.time()

            if pull.is_full:
                continue

            if pull.moved:
                await asyncio.sleep(_PAUSE)
            else:
                await wake.wait(silent_from + self._limits.heartbeat - loop.time())

    def _start(self) -> int:
        """Find where to begin."""
        newest = self._store.newest()

        if self._cursor is None:
            return newest

        known = parse_tail_cursor(self._cursor)

        if known is not None and known[0] == self._store.epoch:
            return min(known[1], newest)

        oldest = self._store.after(0, 1)
        return oldest[0].arrival - 1 if oldest else newest

    def _pull(self) -> "_Pull":
        """Read on from the position, and move it."""
        frames: list[bytes] = []
        start = self._position
        newest = self._store.newest()

        if newest - start > self._limits.lag:
            frames.append(self._skip_to(newest - _BATCH))

        batch = self._batch
        events = self._store.after(self._position, batch)

        # Without events, what there was up to `newest` is gone.
        following = events[0].arrival - 1 if events else newest

        if following > self._position:
            frames.append(self._skip_to(following))

        frames.extend(self._event_frames(events, self._current_matches()))
        left = bool(events) and self._position < events[-1].arrival
        return _Pull(frames, self._position > start, left or len(events) == batch)

    def _current_matches(self) -> Predicate:
        """Give the predicate for about now; rarely a new one, as one event may cost less than to compile it."""
        now = self._clock_us()

        if abs(now - self._compiled_us) >= _RECOMPILE_US:
            self._compiled_us = now
            self._matches = predicate(self._query, now_us=now)

        return self._matches

    def _skip_to(self, position: int) -> bytes:
        skipped = {
            "type": "gap",
            "count": position - self._position,
            "from": tail_cursor(self._store.epoch, self._position),
            "to": tail_cursor(self._store.epoch, position),
        }
        self._on_skip(position - self._position)
        self._position = position
        return to_json(skipped)

    def _event_frames(self, events: list[StoredEvent], matches: Predicate) -> list[bytes]:
        """Write the events that match into frames of bounded size, and move the position behind them.

        Where they are large it stops early, and the next pull reads fewer.
        """
        frames: list[bytes] = []
        waiting: list[bytes] = []
        size = total = count = 0

        for stored in events:
            text = event_json(stored, self._store.epoch) if matches(stored.event) else b""

            if waiting and size + len(text) > self._limits.frame:
                frames.append(self._frame(waiting))
                waiting, size = [], 0

            if text:
                waiting.append(text)
                size += len(text)

            self._position = stored.arrival
            count += 1
            total += len(text) or _rough_size(stored)

            if total > _MOST_BYTES:
                break

        self._batch = max(1, min(_BATCH, self._batch * 2, _MOST_BYTES * count // max(1, total)))
        return [*frames, self._frame(waiting)] if waiting else frames

    def _sign_of_life(self) -> bytes:
        """Say that the tail is alive, and where it is by now if events went by that did not match."""
        return HEARTBEAT if self._told == self._position else self._frame([])

    def _frame(self, events: list[bytes]) -> bytes:
        self._told = self._position
        cursor = to_json({"cursor": tail_cursor(self._store.epoch, self._position)})
        return b'{"type":"events","events":[' + b",".join(events) + b"]," + cursor[1:]


def _rough_size(stored: StoredEvent) -> int:
    """Tell about how large an event is, without writing it."""
    return sum(len(value) for value in stored.event.fields.values() if isinstance(value, str))


@dataclass(frozen=True, slots=True)
class _Pull:
    """What one pull gave: the frames to send, whether the position moved, and whether there may be more at once."""

    frames: list[bytes]
    moved: bool
    is_full: bool


class _Wake:
    """A sleeper that any thread may wake; many calls while it is awake cost next to nothing."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()
        self._is_called = False

    def __call__(self) -> None:
        if self._is_called:
            return

        self._is_called = True

        try:
            self._loop.call_soon_threadsafe(self._event.set)
        except RuntimeError:  # the loop has ended, and its subscriber with it
            return

    def clear(self) -> None:
        # In this order: a call from here on is seen, and an event stored before is read by the pull that follows.
        self._event.clear()
        self._is_called = False

    async def wait(self, seconds: float) -> None:
        """Sleep until it is called, or for that long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._event.wait()
