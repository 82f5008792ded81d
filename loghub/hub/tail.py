"""A live subscription: the events that match a query, in the order in which they arrived.

Rules:
1. It reads the store behind its place until it is near the newest event, and from there on follows what comes in
   (`loghub.hub.feeds`). It joins first and reads up to where the feed begins: between the two there is no seam.
   When its feed is over, because the client is slow, it reads the store again.
2. A place has a name, the cursor: a client that lost its connection goes on behind it, without
   a gap and without an event twice. A cursor of another life of the store starts at the oldest event.
3. A client that more than `Limits.lag` matching events wait for gets a gap frame with their exact number, and goes on
   behind them. It is never disconnected for being slow, and never slows ingest. Where the store no longer holds
   what comes next, nobody can tell what matched: all of these events are counted.
4. Frames hold as many events as there are, up to a bound, and so does what one read gives: fewer
   events where they are large. When nothing is to be said for a while, a heartbeat says so.
5. What is relative to now in a query moves along with the clock, within seconds.
6. Who asks for a sample gets at most so many events a second, and behind those of each read is told of how many.

Nothing here knows WebSockets: frames are bytes. Subscribers may live on several event loops.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from loghub.hub.answers import event_json, parse_tail_cursor, tail_cursor, to_json
from loghub.hub.feeds import Entry, Feed, Feeds
from loghub.hub.sampling import Sampler
from loghub.hub.settings import Limits
from loghub.hub.store.protocol import Arrivals, StoredEvent
from loghub.hub.threads import Threads
from loghub.query.predicate import predicate
from loghub.query.tree import Query

HEARTBEAT = b'{"type":"heartbeat"}'

_BATCH = 500  # events in a read, at most
_FIRST_BATCH = 50  # until it is known how large they are
_MOST_BYTES = 4 * 2**20  # bytes of events in a read, and one event more
_CLOSE = 500  # events that are read and tested one by one
_NEAR = 2000  # events behind the newest one; then it joins those who follow


def _now_us() -> int:
    return time.time_ns() // 1000


class Tail:
    """One subscription.

    Args:
        feeds: what comes in, and the store that has what came before.
        query: what the events must match.
        cursor: the place to go on behind; None starts with what comes next.
        limits: when it is moved ahead, how large a frame is, when it says that it is alive.
        threads: for calls to the store.
        sample: how many events it is to show in a second; None for all.
        skipped: is told of events that it was moved past.
        clock_us: gives the time in microseconds.

    Raises:
        MissingExtraError: the query has a regular expression and google-re2 is not installed.
    """

    def __init__(
        self,
        feeds: Feeds,
        query: Query,
        cursor: str | None,
        limits: Limits,
        threads: Threads,
        *,
        sample: int | None = None,
        skipped: Callable[[int], object] = lambda _: None,
        clock_us: Callable[[], int] = _now_us,
    ) -> None:
        predicate(query, now_us=clock_us())  # so that one that cannot be used is refused here
        self._feeds = feeds
        self._store = feeds.store
        self._query = query
        self._cursor = cursor
        self._limits = limits
        self._threads = threads
        self._sampler = None if sample is None else Sampler(sample)
        self._on_skip = skipped
        self._clock_us = clock_us
        self._batch = _FIRST_BATCH
        self._counted = 0  # the place up to which it is known that not too many events wait
        self._place = 0
        self._told = 0  # the place in the last frame
        self._said_at = 0.0

    @property
    def rest(self) -> float:
        """Seconds for which who asked for a sample is to be shown nothing; then another tail may begin in its place."""
        return self._sampler.rest if self._sampler else 0.0

    async def frames(self) -> AsyncGenerator[bytes]:
        """Give the frames, without an end."""
        async with aclosing(self.reads()) as reads:
            async for frames in reads:
                for frame in frames:
                    yield frame

    async def reads(self) -> AsyncGenerator[Sequence[bytes]]:
        """Give the frames, those that one read gave together."""
        self._place = await self._threads.call(self._start)
        yield [self._frame([])]

        while True:
            async with aclosing(self._spoken(self._life())) as reads:
                async for frames in reads:
                    yield frames

    async def _spoken(self, reads: AsyncGenerator[Sequence[bytes]]) -> AsyncGenerator[Sequence[bytes]]:
        """Pass on what says something; in a long silence, say that the tail is alive."""
        clock = asyncio.get_running_loop().time
        self._said_at = clock()

        async with aclosing(reads):
            async for frames in reads:
                if frames:
                    yield frames
                    self._said_at = clock()

                elif clock() - self._said_at >= self._limits.heartbeat:
                    yield [self._sign_of_life()]
                    self._said_at = clock()

    async def _life(self) -> AsyncGenerator[Sequence[bytes]]:
        """Catch up, and follow until that is over."""
        near = min(_NEAR, self._limits.lag)

        while (newest := self._store.newest()) - self._place > near:
            yield await self._threads.call(self._read, newest)

        feed = self._feeds.follow(self._query)

        try:
            while feed.begins is None:
                await self._wait(feed)
                yield []

            while self._place < feed.begins:
                yield await self._threads.call(self._read, feed.begins)

            while not feed.is_over:
                yield self._taken(feed)
                await self._wait(feed)
        finally:
            self._feeds.leave(feed)

    async def _wait(self, feed: Feed) -> None:
        clock = asyncio.get_running_loop().time
        await feed.wait(self._said_at + self._limits.heartbeat - clock())

    def _taken(self, feed: Feed) -> list[bytes]:
        """Write what was handed on, and move the place behind it."""
        entries, reached = feed.take()
        frames = self._written([entry for entry in entries if entry[0] > self._place])
        self._place = max(self._place, reached)
        return frames

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

    def _read(self, until: int) -> list[bytes]:
        """Read the store behind the place, and move it; at most to `until`."""
        frames = self._skip_too_many(until)
        found, end = self._found(until)
        gone = self._gone(min(until, found[0].arrival - 1) if found else until)

        if gone > self._place:
            frames.append(self._skip_to(gone, gone - self._place))

        entries: list[Entry] = []
        size = 0

        for stored in found:
            entries.append((stored.arrival, event_json(stored, self._store.epoch)))
            size += len(entries[-1][1])

            if size > _MOST_BYTES:
                end = stored.arrival
                break

        frames += self._written(entries)
        self._place = end
        self._batch = max(1, min(_BATCH, self._batch * 2, _MOST_BYTES * len(entries) // size if size else _BATCH))
        return frames

    def _found(self, until: int) -> tuple[Sequence[StoredEvent], int]:
        """Give some of what matches, and the place up to which that is all."""
        now, limit = self._clock_us(), self._batch

        if until - self._place <= _CLOSE:  # in memory, most likely: no need to ask the engine
            near = [stored for stored in self._store.after(self._place, limit) if stored.arrival <= until]
            matches = predicate(self._query, now_us=now)
            end = near[-1].arrival if len(near) == limit else until
            return [stored for stored in near if matches(stored.event)], end

        found = self._store.matching(self._query, Arrivals(self._place, until), now_us=now, limit=limit)
        return found, found[-1].arrival if len(found) == limit else until

    def _skip_too_many(self, until: int) -> list[bytes]:
        """Move ahead where more events wait than a client is to be sent late."""
        target = until - _BATCH

        if until - max(self._place, self._counted) <= self._limits.lag or target <= self._place:
            return []

        waiting = Arrivals(self._place, target)
        count = self._store.count_matching(self._query, waiting, now_us=self._clock_us())
        self._counted = until

        if count <= self._limits.lag:
            return []

        return [self._skip_to(target, count + self._gone(target) - self._place)]

    def _gone(self, until: int) -> int:
        """Give the place up to which the store has lost its events, at most `until`.

        Those that were deleted amid others are not lost. It is asked after a read: what that did not find may have
        gone before it.
        """
        if self._place >= until:
            return self._place

        following = self._store.after(self._place, 1)

        if following and following[0].arrival == self._place + 1:
            return self._place

        oldest = self._store.after(0, 1)
        return max(self._place, min(until, oldest[0].arrival - 1 if oldest else until))

    def _skip_to(self, place: int, count: int) -> bytes:
        skipped = {
            "type": "gap",
            "count": count,
            "from": tail_cursor(self._store.epoch, self._place),
            "to": tail_cursor(self._store.epoch, place),
        }
        self._on_skip(count)
        self._place = self._told = place
        return to_json(skipped)

    def _written(self, entries: Sequence[Entry]) -> list[bytes]:
        """Write events into frames of bounded size, and move the place behind them."""
        if not entries:
            return []

        frames: list[bytes] = []
        waiting: list[bytes] = []
        size = 0
        shown = self._sampler.choose(entries) if self._sampler else entries

        for place, text in shown:
            if waiting and size + len(text) > self._limits.frame:
                frames.append(self._frame(waiting))
                waiting, size = [], 0

            waiting.append(text)
            size += len(text)
            self._place = place

        self._place = entries[-1][0]
        frames.append(self._frame(waiting))
        return [*frames, _sampled(len(shown), len(entries))] if self._sampler else frames

    def _sign_of_life(self) -> bytes:
        """Say that the tail is alive, and where it is by now if events went by that did not match."""
        return HEARTBEAT if self._told == self._place else self._frame([])

    def _frame(self, events: list[bytes]) -> bytes:
        self._told = self._place
        cursor = to_json({"cursor": tail_cursor(self._store.epoch, self._place)})
        return b'{"type":"events","events":[' + b",".join(events) + b"]," + cursor[1:]


def _sampled(shown: int, total: int) -> bytes:
    return to_json({"type": "sampled", "shown": shown, "of": total})
