"""Lines on their way to a file, whatever the disk does: nothing is raised, and nothing is lost uncounted.

Rules:
1. While the file takes lines nothing here runs: who logs writes to the outlet of `quick`, and where somebody has to be
   asked he calls `write` under `lock`.
2. A line that the file refuses waits in a ring, and those after it wait behind it, in their order. One that comes when
   the trouble is over already, or whose file was deleted beneath it, is written at once. Else the file is tried
   again by the lines that come and by a thread, after pauses that double from 0.1 s to 5 s, and by `flush` and `close`.
3. The ring is bounded in lines and bytes. What is pushed out of it, the oldest first, and what waits when the file is
   closed, goes to the fallback; where there is none, or it fails, it is lost.
4. What is lost, or went to the fallback, is counted exactly and told in one event when the file works again, in front
   of the lines that waited. The account is the path's: a new configuration goes on with it.
5. Nothing is said and nothing given to a fallback while the lock is held: stderr may be slow, or lead into logging.
6. In the child of a fork the lock is new, and what waits is the parent's to write.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NoReturn
from weakref import WeakSet

from loghub.handlers import lifetime
from loghub.handlers.account import account_of, families
from loghub.handlers.diagnostics import say, write
from loghub.handlers.fallback import Fallback, Refused
from loghub.handlers.log_file import LogFile
from loghub.handlers.outlet import CLOSED, Outlet, StaleError
from loghub.handlers.rounds import rounds
from loghub.metrics import Family, register

_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_EXIT_SECONDS = 2.0
_RETRY_SECONDS = 0.5


class SturdyFile:
    """A file that takes what it can, when it can.

    Args:
        file: it.
        records: lines that may wait.
        size: bytes that may wait.
        fallback: takes what may not wait.
        tell: makes the line of an event that tells of so many lost and diverted lines, and why.
        synced: whether each line is flushed to the device.

    Attributes:
        lock: held by who writes; not the handler's, which a new configuration holds.
        write: appends a line or raises; its refusal goes to `refuse`.
        quick: the file, where a line may be written to its outlet without the lock: not while lines wait.
        account: what became of lines that the file did not take.
        lost: lines lost by this one.
        is_well: whether the file took the last line.
    """

    def __init__(
        self,
        file: LogFile,
        records: int,
        size: int,
        fallback: Fallback | None,
        tell: Callable[[int, int, str], bytes],
        *,
        synced: bool = False,
    ) -> None:
        self.file = file
        self.account = account_of(str(file.path))
        self.lost = 0
        self._most, self._most_bytes = records, size
        self._fallback = fallback
        self._tell = tell
        self._usual: Callable[[bytes], None] = self._write_synced if synced else file.write
        self._quickly = _Shut() if synced else file
        self._begin()
        _all.add(self)

    def _begin(self) -> None:
        self.lock = threading.RLock()
        self._serve()
        self._waiting: deque[Refused] = deque()
        self._bytes = 0
        self._pause = _PAUSE_SECONDS
        self._again_at = 0.0
        self._is_trying = False
        self._reason = ""

        if self.account.untold or self.account.untold_diverted:  # of a handler before this one
            self._begin_trouble("see what was said before")

    def _serve(self) -> None:
        self.write, self.quick = self._usual, self._quickly
        self.is_well = True

    @property
    def waiting(self) -> int:
        """Lines that wait for the file."""
        return len(self._waiting)

    def refuse(self, line: bytes, record: logging.LogRecord | None, error: BaseException) -> None:
        """Take a line that `write` refused."""
        with self.lock:
            fresh, stale = self.is_well, isinstance(error, StaleError)

            if fresh:
                self._stop(error)

            needs_record = self._fallback is not None and self._fallback.needs_records
            self._waiting.append(Refused(line, record if needs_record else None))
            self._bytes += len(line)
            back = (stale or not fresh) and self._try(time.monotonic(), at_once=fresh)
            out = self._push_out(self._most, self._most_bytes)

        self._give_up(out)

        if not (fresh and back):  # else there was no trouble any more
            self._report(back=back)

        if fresh and not back:
            rounds("loghub-retry", _RETRY_SECONDS, SturdyFile.try_again).mind(self)

    def lose(self, count: int, reason: str = "") -> None:
        """Count lines that are lost for another reason, and tell of them before the next line.

        Args:
            count: how many.
            reason: why; without one nothing is told.
        """
        with self.lock:
            self._count(count)

            if not reason:
                self.account.untold -= count
            elif self.is_well:
                self._begin_trouble(reason)

    def try_again(self) -> bool:
        """Try to write what waits, if it is time; tell whether there is trouble still."""
        with self.lock:
            back = not self.is_well and self._try(time.monotonic())

        if back:
            self._report(back=True)

        return not self.is_well and bool(self._waiting)

    def sync(self) -> bool:
        """Flush the file to the device, without holding up who writes; False where it is not open."""
        with self.lock:
            if not self.file.is_open:
                return False

            descriptor = os.dup(self.file.fileno())

        try:
            with suppress(OSError):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

        return True

    def let_go(self) -> None:
        """Let go of the file, unless lines wait for it."""
        with self.lock:
            if self.is_well:
                self.file.release()

    def flush(self) -> bool:
        """Try to write what waits; tell whether nothing does any more."""
        with self.lock:
            if self.is_well:
                return True

            back = self._try(0.0, at_once=True)

        self._report(back=back)
        return back

    def close(self, *, for_good: bool = False) -> None:
        """Let go of the file; what still waits goes to the fallback or is lost.

        Args:
            for_good: whether lines that come later are lost; else they open the file again.
        """
        self.flush()

        with self.lock:
            out = self._push_out(0, 0)
            self.file.release()

            if for_good:
                self.write, self.quick = self._lose_all, _Shut()

        self._give_up(out)

        if out:
            write(self._title, f"closed while it could not write ({self._reason}); {self._counts()}")

    def end(self, seconds: float) -> None:
        """Close the file before the process ends, unless a disk that does not answer holds it for so long."""
        if self.lock.acquire(timeout=seconds):
            self.lock.release()
            self.close()
        else:
            write(self._title, f"the end came before {self.waiting} lines were written")

    def forget(self) -> None:
        """Start anew in the child of a fork."""
        self.account.forget()
        self._begin()
        self.lost = 0
        self.file.release()

    def _write_synced(self, line: bytes) -> None:
        self.file.write(line)

        try:
            self.file.sync()
        except OSError as error:  # the line is in the file: writing it again would double it
            say(self._title, f"cannot flush to the device ({error})", subject="sync")

    def _stop(self, error: BaseException) -> None:
        self._begin_trouble(str(error))
        lifetime.keep("troubled-files", _Troubled)
        lifetime.arm_exit()
        self._pause = _PAUSE_SECONDS
        self._again_at = time.monotonic() + self._pause
        self.file.release()

    def _begin_trouble(self, reason: str) -> None:
        """Let the next line be refused, and the file be tried with it."""
        self.write, self.quick = self._refuse_at_once, _Shut()
        self.is_well = False
        self._reason = reason
        self._again_at = 0.0

    def _lose_all(self, lines: bytes) -> None:
        self._count(max(1, lines.count(b"\n")))

    def _refuse_at_once(self, _line: bytes) -> NoReturn:
        raise StaleError(self._reason)

    def _try(self, now: float, *, at_once: bool = False) -> bool:
        """Write what waits, if it is time; tell whether all of it is written."""
        if self._is_trying or (not at_once and now < self._again_at):  # a nested call leaves it to the outer one
            return False

        self._is_trying = True

        try:
            self._write_account()

            while self._waiting:
                self._usual(self._waiting[0].line)
                self._bytes -= len(self._waiting.popleft().line)
        except Exception as error:  # noqa: BLE001 (hooks of a roll may raise anything)
            self._reason = str(error)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
            self._again_at = time.monotonic() + self._pause
            self.file.release()
            return False
        finally:
            self._is_trying = False

        self._serve()
        return True

    def _write_account(self) -> None:
        account = self.account

        if account.untold or account.untold_diverted:
            lost, diverted = account.untold, account.untold_diverted
            self._usual(self._tell(lost, diverted, self._reason))
            account.untold -= lost
            account.untold_diverted -= diverted

    def _push_out(self, most: int, most_bytes: int) -> list[Refused]:
        out: list[Refused] = []

        while self._waiting and (len(self._waiting) > most or self._bytes > most_bytes):
            out.append(self._waiting.popleft())
            self._bytes -= len(out[-1].line)

        return out

    def _give_up(self, out: Iterable[Refused]) -> None:
        for refused in out:
            taken = self._fallback is not None and self._fallback.take(refused)

            with self.lock:
                if taken:
                    self.account.diverted += 1
                    self.account.untold_diverted += 1
                else:
                    self._count(1)

    def _count(self, lost: int) -> None:
        self.lost += lost
        self.account.lost += lost
        self.account.untold += lost

    def _report(self, *, back: bool) -> None:
        state = "writes again" if back else f"cannot write ({self._reason})"
        say(self._title, f"{state}; {self._counts()}", subject=state[:6])

    def _counts(self) -> str:
        word = "" if self._fallback is None else f", {self.account.diverted} went to {self._fallback.word}"
        return f"{self.waiting} lines wait, {self.account.lost} are lost so far{word}"

    @property
    def _title(self) -> str:
        return f"JSONFileHandler {self.file.path}"


class _Shut:
    """No file: `write` is the way."""

    held = 0
    outlet = CLOSED

    def write_rest(self, outlet: Outlet, lines: bytes, written: int) -> None:
        """Do nothing: nothing is written to a closed outlet."""


class _Troubled:
    """All files of this process that lines wait for, as what has a last word at its end."""

    def begin_exit(self) -> None:
        """Wait for nothing."""

    def finish_exit(self) -> bool:
        """Try once more; what still waits goes to the fallbacks or is lost."""
        troubled = [sturdy for sturdy in tuple(_all) if sturdy.waiting]

        for sturdy in troubled:
            sturdy.end(_EXIT_SECONDS)

        return not troubled

    def after_fork(self) -> None:
        """Have nothing to do: each file starts anew by itself."""


def _families() -> tuple[Family, ...]:
    return families((str(sturdy.file.path), sturdy.waiting) for sturdy in tuple(_all))


_all: "WeakSet[SturdyFile]" = WeakSet()
register(_families)


def _after_fork_in_child() -> None:
    for sturdy in tuple(_all):
        sturdy.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
