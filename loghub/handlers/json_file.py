"""A log file with rotation and retention, written by any number of processes.

Rules:
1. A line is one `write` of whole bytes on an O_APPEND descriptor: processes need no lock to write.
2. Limits are bytes. The line that would exceed the limit goes to the new file.
3. A roll takes a lock between processes, opened by the one that takes it, and looks again
   whether the file under the name is still the one it writes to: somebody may have rolled already.
4. Between rolls a process looks at most once a second whether its name was given to another
   file (a roll elsewhere, logrotate, a deleted directory); lines it wrote meanwhile stand in the segment.
5. A file that does not end with a newline when it is opened (a crash) gets one first.
6. An error of the disk never reaches the application: the line is counted as lost, and it is said on stderr.
"""

import logging
import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loghub.formatters import JSONFormatter
from loghub.handlers.diagnostics import say
from loghub.handlers.lines import line_of
from loghub.handlers.retention import parse_retention, prune
from loghub.handlers.roll_lock import RollLock
from loghub.handlers.rotation import parse_rotation
from loghub.options import names_unknown_options, text
from loghub.segments import next_path

_LOOK_SECONDS = 1.0
_PRUNE_SECONDS = 600.0
_ROLL_AGAIN_SECONDS = 10.0
_TORN_LOOKS = 5
_TORN_WAIT_SECONDS = 0.002


class JSONFileHandler(logging.Handler):
    """Write each record as a JSON line to a file.

    ```yaml
    handlers:
      file: {class: loghub.JSONFileHandler, filename: logs/app.jsonl, rotate: [100 MB, midnight], keep: 14 days}
    ```

    Args:
        filename: the file; missing directories are made.
        rotate: when to roll over: "100 MB", "1 day", "midnight", or a list of them; never by default.
        keep: age up to which rolled-over segments are kept, as "14 days"; for ever by default.
        keep_files: how many rolled-over segments are kept; all by default.
        level: as in `logging.Handler`.

    Attributes:
        baseFilename: absolute path of the file.
        lost: lines that the disk refused.
    """

    @names_unknown_options
    def __init__(
        self,
        filename: str | os.PathLike[str],
        *,
        rotate: object = None,
        keep: object = None,
        keep_files: object = None,
        level: int | str = logging.NOTSET,
    ) -> None:
        owner = type(self).__name__

        # Options first: logging closes every handler that it knows, a half-made one too.
        self._path = Path(os.path.abspath(text(filename, owner, "filename")))  # noqa: PTH100 (as FileHandler: links stay)
        self._rotation = parse_rotation(rotate, owner)
        self._retention = parse_retention(keep, keep_files, owner)
        super().__init__(level)
        self.baseFilename = str(self._path)
        self.lost = 0
        self._plain = JSONFormatter()
        self._descriptor: int | None = None
        self._identity = (0, 0)
        self._deadline = float("inf")
        self._look_at = 0.0
        self._prune_at = 0.0
        self._roll_at = 0.0
        self._quiet_from = self._quiet_until = 0.0
        self._held, self._most = 0, self._rotation.bytes or sys.maxsize

    def handle(self, record: logging.LogRecord) -> bool:
        """Pass the record on to `emit`, which takes the lock for itself: lines are encoded outside of it."""
        if not self.filters:
            self.emit(record)
            return True

        passed: Any = self.filter(record)

        if passed:  # from Python 3.12 on a filter may give another record
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)

        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Append the record's line; what cannot be written is counted as lost."""
        try:
            formatter = self.formatter or self._plain
            line = formatter.format_line(record) if type(formatter) is JSONFormatter else line_of(formatter, record)

            with self.lock:  # type: ignore[union-attr]  # logging's own constructor made it
                self._write(line)
        except Exception as error:  # noqa: BLE001 (the disk, or another package's formatter: the application must not see it)
            self._lose(error)

    def close(self) -> None:
        """Let go of the file; a later record opens it again."""
        self.acquire()

        try:
            self._release()
        finally:
            self.release()

        super().close()

    def _lose(self, error: Exception) -> None:
        with self.lock:  # type: ignore[union-attr]  # as above
            self.lost += 1
            self._release()

        say(f"JSONFileHandler {self.baseFilename}", f"cannot write ({error}); {self.lost} lines lost so far")

    def _write(self, line: bytes) -> None:
        now = time.time()
        length = len(line)

        # Between looks, and where there is room, a line is one system call, and one for the size.
        if not (self._quiet_from <= now < self._quiet_until) or self._held + length > self._most:
            self._prepare(length, now)

        descriptor: int = self._descriptor  # type: ignore[assignment]  # prepared
        written = os.write(descriptor, line)

        # A short write (the disk is filling up): the rest follows; if it cannot, the next open ends the fragment.
        while written < length:
            written += os.write(descriptor, line[written:])

        if self._most < sys.maxsize:
            # O_APPEND leaves the offset behind what was written: the size, with the lines of other processes.
            self._held = os.lseek(descriptor, 0, os.SEEK_CUR)

    def _prepare(self, incoming: int, now: float) -> None:
        """Have a descriptor of the right file, and know until when it is."""
        self._ready(now)

        if self._rotation and self._is_due(incoming, now):
            self._roll(incoming, now)
            self._ready(now)

        self._quiet_from = now
        self._quiet_until = min(self._look_at, self._deadline, self._prune_at if self._retention else self._look_at)

    def _ready(self, now: float) -> None:
        """Have a descriptor of the file that has the name now."""
        if self._descriptor is not None and not self._look_at - _LOOK_SECONDS <= now < self._look_at:
            self._look_at = now + _LOOK_SECONDS

            if not self._is_current():
                self._release()

        if self._descriptor is None:
            self._descriptor = self._open(now)

        if self._retention and now >= self._prune_at:
            self._prune_at = now + _PRUNE_SECONDS
            prune(self._path, self._retention, now)

    def _open(self, now: float) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        status = os.fstat(descriptor)
        self._identity = (status.st_dev, status.st_ino)
        self._look_at = now + _LOOK_SECONDS
        self._deadline = self._rotation.deadline(status.st_mtime if status.st_size else now)

        if _ends_torn(descriptor):
            os.write(descriptor, b"\n")

        self._held = os.lseek(descriptor, 0, os.SEEK_END)

        return descriptor

    def _is_current(self) -> bool:
        try:
            status = os.stat(self._path)  # noqa: PTH116 (on the path of every line, once a second)
        except OSError:
            return False

        return (status.st_dev, status.st_ino) == self._identity

    def _roll(self, incoming: int, now: float) -> None:
        """Give the file its segment's name, unless another process does so or has done so."""
        with RollLock(self._path) as taken:
            if taken and self._is_current() and self._is_due(incoming, now) and not self._rename(now):
                return

            if taken:
                self._release()

        if taken and self._retention:
            prune(self._path, self._retention, now)

    def _is_due(self, incoming: int, now: float) -> bool:
        if self._descriptor is None or now < self._roll_at:
            return False

        self._held = os.fstat(self._descriptor).st_size
        return self._rotation.should_roll(self._held, incoming, self._deadline, now)

    def _rename(self, now: float) -> bool:
        """Make a segment of the file; where that is refused, go on in the file and try again in a while."""
        try:
            names = os.listdir(self._path.parent)  # noqa: PTH208 (names are what is needed)
            self._path.rename(next_path(self._path, datetime.fromtimestamp(now, UTC), names))
        except OSError as error:
            self._roll_at = now + _ROLL_AGAIN_SECONDS
            say(f"JSONFileHandler {self.baseFilename}", f"cannot roll over ({error}); goes on in the same file")
            return False

        return True

    def _release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        self._quiet_until = 0.0

        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)


def _ends_torn(descriptor: int) -> bool:
    """Tell whether the file ends within a line, and nobody is about to finish it.

    Another process's write may be seen half done, for microseconds; what a crash left stays as it is.
    """
    for _ in range(_TORN_LOOKS):
        size = os.fstat(descriptor).st_size

        if not size or os.pread(descriptor, 1, size - 1) == b"\n":
            return False

        time.sleep(_TORN_WAIT_SECONDS)

    return True
