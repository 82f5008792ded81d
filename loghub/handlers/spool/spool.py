"""The spool of a process: the lane it writes, those of the dead that it takes over, memory where there is no disk.

Rules:
1. A directory belongs to one destination. Each process has an incarnation of its own in it, owned by a lock that
   it holds for life; whoever gets a neighbour's lock has found it dead, and sends its rest under its own id.
2. The cap holds for all incarnations together. It is checked where a segment is made, not for each record. The thread
   makes the next one ahead, while there is ample room; so a call waits for the disk only where it is faster.
3. What is lost for want of room, or is too old, is counted, and told by an event of its own: "N records dropped, seq
   a–b".
4. Where the disk refuses, records wait in memory, under an id of their own, and the disk is tried again.
5. `append` is called by one thread at a time, everything else by the one thread that sends.
"""

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from loghub.handlers.diagnostics import say
from loghub.handlers.memory import Lane, MemoryRing
from loghub.handlers.rounds import rounds
from loghub.handlers.spool import owner
from loghub.handlers.spool.account import Account
from loghub.handlers.spool.heritage import FORMAT, heritage, tidy
from loghub.handlers.spool.incarnation import OVERHEAD, Incarnation
from loghub.handlers.spool.loss import Loss
from loghub.handlers.spool.refused import Refused
from loghub.handlers.spool.room import Room
from loghub.handlers.spool.settings import Settings
from loghub.wire.batch import Batch, source_id

Writing = Callable[[bytes, int], bool]

_FIRST_LOOK = 1.0  # at first it looks more often: a process that is replaced ends soon after
_SYNC_EVERY = 0.5
_TRY_DISK_AFTER = 5.0
_EXPIRE_EVERY = 10.0


class Spool(Account):
    """Where records wait on a disk.

    Args:
        settings: how it works.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._title = f"spool {settings.folder}"
        self._turn = 0
        self._busy: Lane | None = None
        self._left: Incarnation | None = None
        self.write: Writing = _refuse
        self._room = Room(settings, self._lanes, self._losses)
        self._refused = Refused(settings)
        self._look_after = min(_FIRST_LOOK, settings.adopt_every)
        self._next_adoption = self._no_disk_before = 0.0
        self._next_expiry = 0.0
        self._expired: deque[tuple[Incarnation, Loss]] = deque()  # what no event tells of yet
        self._unsaid: dict[str, str] = {}
        self._going: tuple[Incarnation, ...] = ()
        self._each = settings.durability == "record"
        self._durable = settings.durability != "process"

    @property
    def guarantee(self) -> str:
        """What survives: "best-effort" while the disk refuses, else the death of the process, or a loss of power."""
        if self._ring is not None:
            return "best-effort"

        return "power" if self._each else "process"

    @property
    def size(self) -> int:
        """Bytes that the directory takes, of all processes, as seen last."""
        return self._room.others + (own.size if (own := self._own) is not None else 0)

    @property
    def patience(self) -> float:
        """Seconds that a call waits for room."""
        return self._settings.patience

    # Of the caller.

    def append(self, line: bytes, level: int = 0) -> bool:
        """Add a line; False where there is no room for it, and it is not counted."""
        if self._own is not None and self._ring is None:
            self._tell_expired(self._own)

            if not self._each:
                self.write = self._own.append

        if not (self._own is not None and self._ring is None and self._own.append(line, level)):
            return self._append_slowly(line, level)

        if self._each:
            self._sync()

        return True

    def refuse(self) -> None:
        """Count a line that was not taken in."""
        self._losses.refuse(self._own)

    def _append_slowly(self, line: bytes, level: int) -> bool:
        """Make room, or a directory, or go without."""
        if time.monotonic() < self._no_disk_before:
            return self._append_to_memory(line)

        try:
            return self._append_with_room(line, level)
        except OSError as error:
            self._no_disk_before = time.monotonic() + _TRY_DISK_AFTER
            reason = error.strerror or type(error).__name__
            self._unsaid["disk"] = f"{reason}: records wait in memory until the disk takes them"
            return self._append_to_memory(line)

    def _append_with_room(self, line: bytes, level: int) -> bool:
        """Write a line if the cap leaves room for it, in a new segment where the last one is full."""
        own = self._own or self._begin()
        needed = max(self._settings.segment(own.rolls), len(line) + OVERHEAD)

        if not self._room.make(own, level, 0 if own.ahead.size >= needed else needed):
            own.admits = max(own.admits, self._settings.overflow.above(level))
            return False

        if not own.fits(line):
            own.roll(needed)

        own.admits = 0
        self._ring_is_over()
        self._tell_expired(own)
        self._losses.tell(own)
        written = own.append(line)

        if not written:
            own.roll(needed)
            written = own.append(line)

        own.admits = self._settings.overflow.admits(self._room.used(own))

        if self._each:
            self._sync()

        return written

    def _begin(self) -> Incarnation:
        """Found this process's incarnation; at the first record, so that a process that logs nothing leaves nothing."""
        source = source_id(time.time_ns() // 1_000_000, os.urandom(6))
        self._settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        meta = owner.Meta(source, self._settings.destination, self._settings.send)
        own = Incarnation(owner.found(self._settings.folder / FORMAT, meta), meta)
        self._room.look(own)
        self._own = own
        self._lanes.add(own)

        return own

    def _append_to_memory(self, line: bytes) -> bool:
        if self._ring is None:
            source = source_id(time.time_ns() // 1_000_000, os.urandom(6))

            self._ring = MemoryRing(source, *self._settings.ring, self._settings.keep)
            self._lanes.add(self._ring)

            self.write = _refuse

        return self._ring.append(line)

    def _ring_is_over(self) -> None:
        """Write to the disk again; what memory holds is still sent."""
        self._ring = None

        if self._own is not None and not self._each:
            self.write = self._own.append

    # Of the thread.

    def tend(self) -> float:
        """Do what is due: the next segment, the cursor, the dead; and say what a call could not.

        Returns:
            Seconds until something is due again.
        """
        now = time.monotonic()
        self._make_ahead()
        self._refused.bury()
        self._note()
        self._expire(now)
        self._speak()

        if self._settings.durability == "interval" and self._own is not None:
            rounds("loghub-spool-sync", _SYNC_EVERY, _sync).mind(self)  # a request may keep this thread for longer

        if now >= self._next_adoption:
            self._next_adoption = now + self._look_after
            self._look_after = min(self._look_after * 2, self._settings.adopt_every)
            self._look_around()

        return max(self._next_adoption - now, 0.0)

    def take(self, records: int, size: int) -> Batch | None:
        """Give the oldest lines of one lane, of each in turn; the same ones again until they are settled."""
        if self._busy is not None and (batch := self._busy.take(records, size)) is not None:
            return batch

        self._busy = None

        if self._settings.durability == "batch":
            self._sync()

        lanes = tuple(self._lanes)

        for step in range(len(lanes)):
            lane = lanes[(self._turn + step) % len(lanes)]

            if (batch := lane.take(records, size)) is not None:
                self._turn += step + 1
                self._busy = lane
                return batch

        return None

    def settle_acked(self, count: int) -> None:
        """Let go of lines that the hub has."""
        if self._busy is not None:
            self._busy.settle_acked(count)
            self._release()

    def settle_dead(self, count: int, reason: str = "") -> None:
        """Let go of lines that the hub will never take; they go to `dead/` before the cursor is written."""
        if (lane := self._busy) is None:
            return

        batch = lane.take(1, 1)
        lane.settle_dead(count)

        if batch is not None:
            self._refused.add(batch, count, reason)

        self._release()

    def was_fetched(self) -> bool:
        """Tell whether another process has sent what was left with the last `close`.

        While nobody fetches it, one more place for each second would fill the directory with little in each.
        """
        return self._left is None or not self._left.folder.exists()

    def let_go(self) -> Callable[[], None]:
        """Let go of the directory: what is left in it is for whoever comes next.

        Returns:
            What there is to do for it on the disk, without any lock.
        """
        if self._own is not None:
            with suppress(OSError):
                self._tell_expired(self._own)
                self._losses.leave(self._own)

        self._going = tuple(lane for lane in self._lanes if isinstance(lane, Incarnation))

        for lane in self._going:
            self._lanes.forget(lane)

        self._left = self._own or self._left
        self._own = self._busy = None
        self.write = _refuse
        self._next_adoption = 0.0
        return self._put_down

    def close(self) -> None:
        """Let go of the directory, and see to the disk at once."""
        self.let_go()()

    def abandon(self) -> None:
        """Let go of the parent's spool in the child of a fork, without a word to the disk."""
        for lane in (*self._lanes, *self._going):
            if isinstance(lane, Incarnation):
                lane.close()

    def _put_down(self) -> None:
        """See to the disk for what was let go of: the next one finds it free and whole."""
        self._refused.bury()

        for lane in self._going:
            if not self._refused:
                self._write_cursor(lane)

            if self._settings.durability == "interval" and lane.queued:
                with suppress(OSError):
                    lane.sync()

            (lane.leave if lane.queued or lane.tally.count or self._refused else lane.remove)()

        self._going = ()
        self._speak()

    def _speak(self) -> None:
        """Say what was found while others waited: stderr may be slow, or lead into logging."""
        while self._unsaid:
            subject, sentence = self._unsaid.popitem()
            say(self._title, sentence, subject=subject)

    def _release(self) -> None:
        if self._busy is not None and not self._busy.under_way:
            self._busy = None

    def _note(self) -> None:
        """Write the cursors and free what lies behind them; forget lanes that are empty."""
        if self._refused:
            return

        for lane in self._lanes:
            if isinstance(lane, Incarnation):
                self._note_one(lane)
            elif lane is not self._ring and not lane.queued:
                self._lanes.forget(lane)

    def _note_one(self, lane: Incarnation) -> None:
        freed = self._write_cursor(lane)

        if lane is not self._own:
            self._room.others -= freed

            if not lane.queued:
                self._lanes.forget(lane)
                lane.remove()
                self._next_adoption = self._next_adoption if self._lanes.adopted else 0.0  # there may be more

    def _expire(self, now: float) -> None:
        """Drop what nobody took for too long, in whole segments."""
        keep = self._settings.keep

        if not keep or now < self._next_expiry:
            return

        self._next_expiry = now + min(keep / 10, _EXPIRE_EVERY)
        before = time.time() - keep
        dropped = 0

        for lane in self._lanes:
            if isinstance(lane, MemoryRing):
                dropped += lane.expire()
            elif isinstance(lane, Incarnation):
                dropped += self._expire_one(lane, int(before * 1e9))

        if dropped:
            self.write = _refuse  # so that the next record goes the way on which events are told
            self._unsaid["age"] = f"{dropped} records were dropped: nobody took them for the time that `keep` says"

    def _expire_one(self, lane: Incarnation, before_ns: int) -> int:
        gone: list[Loss] = []

        while (lost := lane.drop_older(before_ns)) is not None:
            if lost.records:
                gone.append(lost)

            if lane is not self._own:
                self._room.others -= lost.size

        dropped = sum(lost.records for lost in gone)

        if dropped:
            self._expired.append((lane, Loss(lane.source, gone[0].first, gone[-1].last, dropped)))

        return dropped

    def _tell_expired(self, own: Incarnation) -> None:
        """Have events tell of what was too old, and of other losses; the one that writes does this."""
        if not self._expired:
            return

        while self._expired:
            lane, lost = self._expired.popleft()
            (self._losses.add_own if lane is own else self._losses.add)(lost)

        self._losses.tell(own)

    def _write_cursor(self, lane: Incarnation) -> int:
        """Write how far a lane is settled; give the bytes that became free behind it."""
        try:
            return lane.note(durable=self._durable)
        except OSError as error:
            self._unsaid["cursor"] = f"{error.strerror}: cannot write the cursor"
            return 0

    def _sync(self) -> bool:
        """Bring what is written to the disk; tell whether there is anything to bring there."""
        own = self._own

        if own is not None:
            try:
                own.sync()
            except OSError as error:
                self._unsaid["sync"] = f"{error.strerror}: cannot bring records to the disk"

        return own is not None

    def _make_ahead(self) -> None:
        """Make the next segment before a call needs it: that call would wait for the disk."""
        own = self._own

        if own is None or self._ring is not None:
            return

        size = self._settings.segment(own.rolls)

        if own.is_filling and not own.ahead.size and self._room.is_ample(own, size):
            with suppress(OSError):  # the call that needs it says so
                own.ahead.make(size)

    def _look_around(self) -> None:
        """Take over what the dead have left, where this process sends, and count what all others take."""
        settings = self._settings
        known = {lane.source for lane in self._lanes}

        if settings.send:
            for lane in heritage(settings.folder, known, settings.destination):
                self._lanes.adopt(lane)
        else:
            tidy(settings.folder, known)

        self._room.look(self._own)


def _sync(spool: Spool) -> bool:
    return spool._sync()  # noqa: SLF001 (what the rounds do for it)


def _refuse(_line: bytes, _level: int) -> bool:
    """Write nothing: there is no place yet."""
    return False
