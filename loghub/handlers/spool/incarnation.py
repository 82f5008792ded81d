"""The records of one process in the spool: written by it, or by one that is dead and whose place was taken.

Rules:
1. Only the engine's lock-holder writes; only its thread reads. The writer publishes a frame by moving the end of
   the last segment; what lies before an end never changes.
2. A batch lies within one segment and has no gap in its numbers. The segment that is read is never dropped.
3. A segment is deleted when the cursor beyond it is written. A crash in between causes a resend, which the hub trims.
"""

import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from zlib import crc32

from loghub.handlers.spool import segment as segments
from loghub.handlers.spool.ahead import Ahead
from loghub.handlers.spool.cursor import Cursor
from loghub.handlers.spool.frames import (
    HEADER,
    KEEPS_GIL,
    MAGIC,
    TRAILER,
    VERSION,
    Damage,
    checksum,
    pack_crc,
    pack_head,
)
from loghub.handlers.spool.loss import Loss
from loghub.handlers.spool.owner import Claim, Meta
from loghub.handlers.spool.segment import Segment, Store
from loghub.handlers.spool.tally import Tally
from loghub.wire.batch import Batch

OVERHEAD = HEADER + TRAILER
_NAMES = 4  # directories whose names are brought to the disk too: this one, v1, the spool, and where that is
_now = time.time_ns


class Incarnation:
    """A lane of records with one source.

    Attributes:
        source: the id under which they are sent.
        ahead: the segment that comes next.
        tally: refused records that no event tells of yet; who takes this lane over tells of them.
        newest: number of the newest record.
        admits: records below this level are not taken in.
        rolls: segments that this process made.
        acked: records that the hub has.
        dead: records that the hub will never take.
        dropped: records that were lost for want of room.
    """

    def __init__(self, claimed: Claim, meta: Meta) -> None:
        self.source = meta.source
        self.acked = self.dead = self.dropped = 0
        self.newest = 0
        self.admits = self.rolls = 0
        self._unseen = 0  # numbers up to the newest that are no records of this lane's account
        self.damages: list[tuple[Segment, Damage]] = []
        self._claim = claimed
        self._cursor = Cursor(claimed.folder / "cursor")
        self._settled = self._cursor.settled
        self._segments: deque[Segment] = deque()
        self._moving = threading.Lock()  # the writer drops segments, the reader goes on to the next
        self._reading: Segment | None = None
        self._place = self._from = 0  # from where on, and where what is taken begins
        self._taken: Batch | None = None
        self._store: Store | None = None
        self._segment: Segment | None = None
        self._end = self._room = 0
        self.ahead = Ahead(claimed.folder)
        self.tally = Tally(claimed.folder / "refused")
        self._word = b""  # the event that tells what its process could not tell any more
        self._unsynced: deque[Segment] = deque()  # segments that were written since the last sync, but for the last one

    @property
    def folder(self) -> Path:
        """Its directory."""
        return self._claim.folder

    @property
    def appended(self) -> int:
        """Records that this lane took in, or found."""
        return self.newest - self._unseen

    @property
    def size(self) -> int:
        """Bytes of its segments on the disk."""
        return sum(segment.size for segment in tuple(self._segments)) + self.ahead.size

    @property
    def queued(self) -> int:
        """Records that are neither acknowledged nor dead nor dropped."""
        return self.appended - self.acked - self.dead - self.dropped

    @property
    def queued_bytes(self) -> int:
        """Their bytes, frames included."""
        done = sum(segment.end for segment in tuple(self._segments) if segment is not self._segment)
        return done + self._end - (self._place if self._reading else 0)

    @property
    def is_filling(self) -> bool:
        """Whether the segment that is written will need a next one before long."""
        return self._end > self._room // 4

    @property
    def oldest(self) -> int:
        """Number of the oldest queued record, or of the next one."""
        return self._settled + 1 if self.queued else self.newest + 1

    @property
    def under_way(self) -> bool:
        """Whether something is taken and not settled."""
        return self._taken is not None

    # Of the writer.

    def append(self, line: bytes, level: int = 0) -> bool:
        """Write a line; False where the segment has no room for it, or none for its level."""
        size = len(line)
        start = self._end
        end = start + OVERHEAD + size

        if end > self._room or level < self.admits:
            return False

        seq = self.newest + 1
        body = pack_head(MAGIC, VERSION, 0, size, seq, _now()) + line
        crc = crc32(body) if size < KEEPS_GIL - HEADER else checksum(body)
        self._store[start:end] = body + pack_crc(crc)  # type: ignore[index]
        self.newest = seq
        self._end = end  # now the reader may see it
        return True

    def fits(self, line: bytes) -> bool:
        """Tell whether the last segment has room for a line."""
        return self._end + OVERHEAD + len(line) <= self._room

    def roll(self, size: int) -> None:
        """Go on in a new segment.

        Raises:
            OSError: no room on the disk.
        """
        first = self.newest + 1
        self._cursor.reserve()
        path = segments.path_of(self._claim.folder, first)
        made, store = self.ahead.take(path, first, size) or segments.create(path, first, size)

        with self._moving:
            done = self._finish()
            self._segments.append(made)
            self.rolls += 1
            self._unsynced.append(done or made)
            self._segment, self._store, self._end, self._room = made, store, 0, made.size

            if done is not None and done is not self._reading:
                done.close()

    def skip(self, count: int) -> Loss:
        """Use up numbers for records that were not taken in; the hub sees the gap."""
        first = self.newest + 1
        self.newest += count

        with self._moving:  # the reader may drop what is too old
            self.dropped += count

        if self._segment is not None:
            self._segment.gaps += count

        return Loss(self.source, first, self.newest, count)

    def drop_oldest(self) -> Loss | None:
        """Drop the oldest segment that is neither written nor read; None where there is no such segment."""
        while (segment := self._spare()) is not None:
            if (lost := self._drop(segment)) is not None:
                return lost

        return None

    def drop_older(self, time_ns: int) -> Loss | None:
        """Drop that segment, if all of its records were written before a time."""
        segment = self._spare()
        return self._drop(segment) if segment is not None and segments.is_older(segment, time_ns) else None

    def _spare(self) -> Segment | None:
        """Give the oldest segment that is neither written nor read."""
        with self._moving:
            spare = (one for one in self._segments if one is not self._reading and one is not self._segment)
            return next(spare, None)

    def _drop(self, segment: Segment) -> Loss | None:
        """Drop a segment; None where it is read, or gone, by now."""
        with self._moving:
            if segment not in self._segments or segment is self._reading:
                return None

            self._segments.remove(segment)
            # Where the disk refuses the cursor, a segment stays though the hub has its records: those are not lost.
            lost = 0 if segment.last <= self._settled else segment.records
            self.dropped += lost

        segment.unlink()
        return Loss(self.source, segment.first, segment.last, lost, segment.size)

    def sync(self) -> None:
        """Bring what is written to the disk.

        Raises:
            OSError: the disk does not take it.
        """
        new = bool(self._unsynced)

        while self._unsynced:
            with suppress(FileNotFoundError):  # it was sent or dropped meanwhile
                self._unsynced.popleft().sync()

        if new:
            for folder in (self.folder, *self.folder.parents)[:_NAMES]:
                with suppress(PermissionError):  # whose names we may not read we have not made
                    segments.sync_folder(folder)

        if self._segment is not None:
            with suppress(FileNotFoundError):
                self._segment.sync()

    # Of the reader.

    def recover(self) -> None:
        """Find what a dead process left: every frame is checked, damage is noted."""
        last = self._settled
        found = 0
        self.ahead.remove()

        for path in segments.paths(self._claim.folder):
            with suppress(OSError):
                segment, damages = segments.recover(path, last)
                self.damages += [(segment, damage) for damage in damages if not damage.torn]
                found += segment.records
                last = max(last, segment.last)
                self._segments.append(segment)

        self.newest, self._unseen = last, last - found

        if self.tally.count:  # that event comes last, under the number that it would have had
            self._word = replace(self.skip(self.tally.count), time=self.tally.time).line()
            self.newest += 1

    def since(self) -> float | None:
        """Give the unix time of the oldest queued record; None where there is none, or nobody can tell just now."""
        with self._moving:
            waiting = tuple(self._segments)
            reading, place = self._reading, self._from if self._taken else self._place

        for segment in waiting[waiting.index(reading) if reading in waiting else 0 :]:
            with suppress(OSError):
                found = segments.time_after(segment, place if segment is reading else 0, self._settled)

                if found is not None:
                    return found / 1e9

        return None

    def take(self, records: int, size: int) -> Batch | None:
        """Give the oldest lines; the same ones again until they are settled."""
        while self._taken is None:
            with self._moving:
                self._finish()
                segment = self._reading

            if segment is not None and self._place < segment.end:
                try:
                    self._taken = self._read(segment, records, size)
                except OSError:  # somebody has deleted or damaged it
                    self._give_up(segment)
            elif not self._go_on():
                self._taken = Batch(self.source, self.newest, (self._word,)) if self._word else None
                break

        return self._taken

    def settle_acked(self, count: int) -> None:
        """Let go of lines that the hub has."""
        self.acked += len(self._settle(count))

    def settle_dead(self, count: int, _reason: str = "") -> None:
        """Let go of lines that the hub will never take."""
        self.dead += len(self._settle(count))

    def note(self, *, durable: bool) -> int:
        """Write the cursor and delete what lies behind it.

        Returns:
            Bytes that became free.

        Raises:
            OSError: the disk does not take the cursor; it is tried again.
        """
        if self._settled > self._cursor.settled:
            self._cursor.write(self._settled, durable=durable)

        freed = 0

        while (segment := self._leave()) is not None:
            freed += segment.size
            segment.unlink()

        return freed

    def leave(self) -> None:
        """Let go of it for whoever comes next; it takes no more of the disk than what is written."""
        if (last := self._finish()) is not None:
            last.trim()

        self.ahead.remove()
        self.close()

    def close(self) -> None:
        """Let go of everything but what is on the disk; its lock is free then."""
        self._close_segments()
        self._cursor.close()
        self._claim.release()

    def remove(self) -> None:
        """Delete it: nothing is left in it."""
        self._close_segments()
        self._cursor.close()

        with suppress(OSError):
            self._claim.remove()

        self._claim.release()

    def _close_segments(self) -> None:
        for segment in self._segments:
            segment.close()

        self.ahead.close()
        self.tally.close()

    def _finish(self) -> Segment | None:
        """Note in the last segment what is written of it."""
        segment = self._segment

        if segment is not None:
            segment.end, segment.last = self._end, self.newest

        return segment

    def _settle(self, count: int) -> tuple[bytes, ...]:
        if self._taken is None:
            return ()

        batch = self._taken
        done, rest = batch.lines[:count], batch.lines[count:]
        self._settled = batch.first + len(done) - 1
        self._taken = Batch(batch.source, batch.first + len(done), rest) if rest else None

        if self._word and self._settled == self.newest:  # before the cursor: else it would be told again
            self._word = b""
            self.tally.note(0)

        return done

    def _read(self, segment: Segment, records: int, size: int) -> Batch | None:
        """Read a batch from here on; None where only settled or damaged frames were left."""
        self._from = self._place
        self._place, first, lines = segments.gather(segment, self._place, self._settled, records, size)
        return Batch(self.source, first, tuple(lines)) if lines else None

    def _give_up(self, segment: Segment) -> None:
        """Count what cannot be read any more."""
        with self._moving:
            self.dropped += max(segment.last - max(self._settled, segment.first - 1) - segment.gaps, 0)

        self._settled = max(self._settled, segment.last)
        self._place = segment.end

    def _go_on(self) -> bool:
        """Go on to the next segment; tell whether there is one."""
        with self._moving:
            behind = self._reading is None

            for segment in self._segments:
                if behind:
                    break

                behind = segment is self._reading
            else:
                return False

            if self._reading is not None and self._reading is not self._segment:
                self._reading.close()

            self._reading, self._place = segment, 0
            return True

    def _leave(self) -> Segment | None:
        """Take the oldest segment out of the line; None where it is not settled, or still written."""
        with self._moving:
            segment = self._segments[0] if self._segments else None

            if segment is None or segment is self._segment or segment.last > self._cursor.settled:
                return None

            if segment is self._reading:
                self._reading, self._place = None, 0

            return self._segments.popleft()
