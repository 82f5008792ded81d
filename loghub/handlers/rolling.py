"""When a log file is looked at again and rolled over, and how: asked between lines, never for each one.

Rules:
1. Limits are bytes. The line that would exceed the limit goes to the new file. Others may write to the file too: it
   is measured again whenever this process has written a sixteenth of what was left to the limit.
2. A roll takes a lock between processes, opened by the one that takes it, and looks again
   whether the file under the name is still the one it writes to: somebody may have rolled already.
3. Between rolls a process looks at most once a second, or once in 64 KB, whether its name was given to another
   file (a roll elsewhere, logrotate, a deleted directory); lines it wrote meanwhile stand in the segment.
   A file that is not shared is never looked at, and rolled over without the lock.
4. A roll that is refused (a directory that cannot be written to, a file held open) is said and tried again
   later; the file goes on.
5. Compression and retention are another thread's matter (`upkeep.py`): it is woken by the first line in a file, when
   the one before was let go of.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from loghub.handlers.account import account_of
from loghub.handlers.diagnostics import say
from loghub.handlers.log_file import LogFile
from loghub.handlers.retention import Retention
from loghub.handlers.roll_lock import roll_lock
from loghub.handlers.upkeep import Chores, upkeep
from loghub.segments import FORMS, next_path

LOOK_SECONDS = 1.0
_ROLL_AGAIN_SECONDS = 10.0
_ROLLER_SECONDS = 0.001
_ROLLER_WAITS = 50
_WRITERS = 16  # processes that may write one file, as fast as each other, before one is measured too late


class Rule(Protocol):
    """When a file is rolled over: `Rotation`, or the standard library's rules."""

    @property
    def bytes(self) -> int:
        """Bytes that the file may have; 0 for any number."""

    def deadline(self, opened_at: float) -> float:
        """Give the unix time from which on a file opened at `opened_at` is rolled over; infinity for never."""

    def should_roll(self, held: int, incoming: int, deadline: float, now: float) -> bool:
        """Tell whether a line of `incoming` bytes goes to a new file, where this one holds `held` bytes."""


class Rolling:
    """Decides about one log: which file is the right one, and when another begins.

    Args:
        rule: when it is rolled over.
        retention: what is kept of its segments.
        rename: gives the file of this path another name, at a unix time; called under the lock. By default that of
            the next segment.
        look_every: seconds between looks whether the file still has the name; 0 looks before each line.
        form: how segments are compressed: "", ".gz" or ".zst".

    Attributes:
        rule: when the file is rolled over.
        deadline: unix time from which on the open file is rolled over.
        due: called in place of `roll` where the file is due, if it is set: a hook of a subclass.
    """

    def __init__(
        self,
        rule: Rule,
        retention: Retention,
        rename: Callable[[Path, float], None] | None = None,
        look_every: float = LOOK_SECONDS,
        *,
        form: str = "",
    ) -> None:
        self.rule = rule
        self._look_every = look_every
        self._retention = retention
        self._form = form
        self._chores: Chores | None = None
        self._rename = rename or rename_to_segment
        self.deadline = float("inf")
        self.due: Callable[[], None] | None = None
        self._look_at = self._roll_at = 0.0
        self._is_minded = False
        self._refused = 0

    def prepare(self, file: LogFile, incoming: int, now: float) -> None:
        """Have the right file open for a line of so many bytes, and let it be quiet until the next look."""
        self.look(file, now)

        if self.is_due(file, incoming, now):
            if self.due is None:
                self.roll(file, incoming, now)
            else:
                self.due()

            self.look(file, now)

        again = self._roll_at if self._roll_at > now else self._look_at
        file.be_quiet(now, min(self._look_at, self.deadline, again), self._most(file, now))

        if not self._is_minded:  # with the first line: no thread starts while a configuration opens files
            self._mind(file.path)

    def _most(self, file: LogFile, now: float) -> int:
        """Give the size up to which the file need not be measured."""
        if not self.rule.bytes or now < self._roll_at:
            return sys.maxsize

        left = self.rule.bytes - file.held
        return file.held + (left // _WRITERS if file.is_shared else left)

    def look(self, file: LogFile, now: float) -> None:
        """Have the file open that has the name, looked at within the last second."""
        if file.is_open and (file.is_doubtful or not self._look_at - self._look_every <= now < self._look_at):
            self._look_at = now + self._look_every

            if not file.is_shared or file.is_current():
                file.trust()
            else:
                file.release()

        if not file.is_open:
            file.open(now)
            self._look_at = now + self._look_every
            self.deadline = self.rule.deadline(file.opened_at)
            self._is_minded = False

    def is_due(self, file: LogFile, incoming: int, now: float) -> bool:
        """Tell whether a line of so many bytes belongs into a new file."""
        if not file.is_open or now < self._roll_at or not (self.rule.bytes or now >= self.deadline):
            return False

        if not file.measure() and now >= self.deadline:  # an empty file belongs to the time of its first line
            self.deadline = self.rule.deadline(now)

        return self.rule.should_roll(file.held, incoming, self.deadline, now)

    def roll(self, file: LogFile, incoming: int | None, now: float) -> bool:
        """Give the file another name, unless another process does so or has done so.

        Args:
            file: the open file; it is released, so that the next line begins a new one.
            incoming: bytes of the line to come; None rolls over whatever the rules say.
            now: unix time.

        Returns:
            Whether it was this process that rolled over.
        """
        rolled = False

        try:
            with roll_lock(file.path) if file.is_shared else nullcontext(True) as taken:
                if taken and file.is_current() and (incoming is None or self.is_due(file, incoming, now)):
                    file.trust()  # a rotator may copy it and delete it
                    self._rename(file.path, now)
                    rolled = True

                if taken:
                    file.release()
        except OSError as error:
            self._roll_at = now + _ROLL_AGAIN_SECONDS
            account_of(str(file.path)).roll_failures += 1
            say(f"JSONFileHandler {file.path}", f"cannot roll over ({error}); goes on in the same file")
            return False

        self._refused = 0 if taken else self._refused + 1

        if not taken:
            self._wait_for_roller(now)

        return rolled

    def _wait_for_roller(self, now: float) -> None:
        """Leave the processor to the process that rolls over in this moment; write on where it takes long."""
        if self._refused <= _ROLLER_WAITS:
            time.sleep(_ROLLER_SECONDS)
        else:
            self._roll_at = now + _ROLLER_WAITS * _ROLLER_SECONDS

    def close(self, file: LogFile) -> None:
        """Let go of the file, and mind its segments no longer."""
        file.close()

        if self._chores is not None:
            if not self._is_minded:  # rolled over by hand, and no line since
                self._mind(self._chores.log)

            upkeep().drop(self._chores)

    def _mind(self, path: Path) -> None:
        self._is_minded = True

        if not self._retention and not self._form:
            return

        if self._chores is None or self._chores.log != path:
            self._chores = Chores(path, self._retention, self._form)

        upkeep().soon(self._chores)


def rename_to_segment(path: Path, now: float) -> None:
    """Give a log's file the name of the log's next segment."""
    path.rename(segment_path(path, now))


def segment_path(path: Path, now: float) -> Path:
    """Give the name of a log's next segment, which no other one has in any form."""
    names = os.listdir(path.parent)  # noqa: PTH208 (names are what is needed)
    rolled = datetime.fromtimestamp(now, UTC)
    segment = next_path(path, rolled, names)

    # A long list takes several calls to the system: a segment compressed meanwhile may stand in none of them.
    while any(segment.with_name(segment.name + form).exists() for form in FORMS):
        segment = next_path(path, rolled, [segment.name])

    return segment
