"""What the standard library's file handlers have, under their names: attributes, hooks, and the stream.

A subclass or a caller that was written for `RotatingFileHandler`, `TimedRotatingFileHandler`, `WatchedFileHandler` or
`FileHandler` finds here what it calls, overrides or reads. Lines do not go through it: they go to `sturdy_file.py`.
"""

import logging
import os
import re
import time
from collections.abc import Callable
from logging.handlers import TimedRotatingFileHandler
from typing import Any

from loghub.handlers.log_file import LogFile
from loghub.handlers.rolling import Rolling
from loghub.handlers.standard_rolls import StandardRolls, files_to_delete
from loghub.handlers.sturdy_file import SturdyFile


class FileStream:
    """A text stream onto a log's file: what is written goes through the file's own path, as whole bytes."""

    def __init__(self, sturdy: SturdyFile, mode: str, encoding: str | None, errors: str) -> None:
        self._sturdy = sturdy
        self.mode = mode
        self.encoding = encoding or "utf-8"
        self.errors = errors

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self._sturdy.file.path)

    @property
    def closed(self) -> bool:
        """Whether the file is let go."""
        return not self._sturdy.file.is_open

    def write(self, text: str) -> int:
        """Append text."""
        data = text.encode(self.encoding, self.errors)

        with self._sturdy.lock:
            self._sturdy.write(data)

        return len(text)

    def flush(self) -> None:
        """Do nothing: each write is handed to the system at once."""

    def fileno(self) -> int:
        """Give the file's descriptor."""
        return self._sturdy.file.fileno()

    def tell(self) -> int:
        """Give the file's size."""
        return self._sturdy.file.measure()

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return os.isatty(self.fileno())

    def close(self) -> None:
        """Let go of the file."""
        with self._sturdy.lock:
            self._sturdy.file.release()


class DropInFileHandler(logging.FileHandler):
    """The attributes and hooks; `JSONFileHandler` has the options and writes the lines.

    Attributes:
        maxBytes: bytes from which on the file is rolled over; 0 for no limit.
        backupCount: how many rolled-over files are kept.
        when: S, M, H, D, MIDNIGHT or W0 to W6 where dated names are used, else None.
        interval: seconds between two rolls.
        suffix: of dated names, for `time.strftime`.
        extMatch: pattern of that suffix.
        namer: gives another name to a file that is rolled over.
        rotator: renames it, or does what you like with it.
    """

    namer: Callable[[str], str] | None = None
    rotator: Callable[[str, str], None] | None = None
    maxBytes = 0
    backupCount = 0
    when: str | None = None
    interval = 0
    suffix = ""
    extMatch = re.compile(r"(?!)")  # matches nothing
    dayOfWeek = 0
    utc = False
    atTime: Any = None
    _sturdy: SturdyFile
    _rolling: Rolling
    _standard: StandardRolls | None
    _stream: FileStream

    def rotation_filename(self, default_name: str) -> str:
        """Give the name of a file that is rolled over: what `namer` makes of the default."""
        return self.namer(default_name) if callable(self.namer) else default_name

    def rotate(self, source: str, dest: str) -> None:
        """Rename the file, or let `rotator` do it."""
        if callable(self.rotator):
            self.rotator(source, dest)
        elif os.path.exists(source):  # noqa: PTH110 (as the parent)
            os.rename(source, dest)  # noqa: PTH104 (as above)

    def shouldRollover(self, record: logging.LogRecord | None) -> bool:
        """Tell whether a record's line belongs into a new file."""
        now = time.time()

        with self._sturdy.lock:
            file = self._file
            self._rolling.look(file, now)

            if not file.measure() or not (self.maxBytes > 0 or now >= self._rolling.deadline):
                return False

            incoming = 0 if record is None else len(self._line(record))
            return self._rolling.rule.should_roll(file.held, incoming, self._rolling.deadline, now)

    def doRollover(self) -> None:
        """Roll over now, whatever the rules say."""
        self.flush()  # what is queued was logged before
        now = time.time()

        with self._sturdy.lock:
            self._rolling.look(self._file, now)
            self._rolling.roll(self._file, None, now)

            if not self.delay:
                self._rolling.look(self._file, now)

    def computeRollover(self, currentTime: int) -> int:  # noqa: N803 (as the parent)
        """Give the unix time of the roll after this one."""
        return TimedRotatingFileHandler.computeRollover(self, currentTime)  # type: ignore[arg-type]  # it reads what we have

    def getFilesToDelete(self) -> list[str]:
        """Give the dated files that are too many, oldest first."""
        return files_to_delete(self, self.extMatch)

    @property
    def rolloverAt(self) -> float:
        """Unix time of the next roll; infinity for never."""
        if not self._file.is_open and self._standard is not None:
            self._rolling.deadline = self._standard.deadline(_changed_at(self.baseFilename))

        return self._rolling.deadline

    @rolloverAt.setter
    def rolloverAt(self, at: float) -> None:
        self._rolling.deadline = at
        self._file.be_quiet(0.0, 0.0)

    def reopenIfNeeded(self) -> None:
        """Open the file anew if its name was given to another one, as WatchedFileHandler does."""
        with self._sturdy.lock:
            if self._file.is_open and not self._file.is_current():
                self._file.release()
                self._rolling.look(self._file, time.time())

    @property
    def dev(self) -> int:
        """Device of the file, -1 before it is opened."""
        return self._file.identity[0]

    @property
    def ino(self) -> int:
        """Inode of the file, -1 before it is opened."""
        return self._file.identity[1]

    @property
    def stream(self) -> Any:  # noqa: ANN401 (as a text stream; None before the file is opened)
        """A text stream onto the file; None while it is not open."""
        return self._stream if self._file.is_open else None

    @stream.setter
    def stream(self, value: object) -> None:
        if value is None:
            self._stream.close()

    def _open(self) -> Any:  # noqa: ANN401 (as above)
        """Open the file and give the stream, as subclasses that roll over themselves do."""
        with self._sturdy.lock:
            self._rolling.look(self._file, time.time())

        return self._stream

    @property
    def _file(self) -> LogFile:
        return self._sturdy.file

    def _line(self, record: logging.LogRecord) -> bytes:
        raise NotImplementedError


def _changed_at(path: str) -> float:
    try:
        return os.stat(path).st_mtime  # noqa: PTH116 (hooks have names, not paths)
    except OSError:
        return time.time()
