"""`--watch`: the lines of log files become events of the store, each exactly once.

Rules:
1. A file's life has a source id, and a line's sequence number is its number in the file. So a line that is read
   again is one that the store has: a kill at any moment costs a repeated read and nothing else.
2. The id of a life is on the disk before the first of its lines is in the store. How far it was read is written
   now and then, and only saves reading.
3. A line that is no JSON is an event with that text as its message. One that begins as an object and is none (torn),
   or is too long, is quarantined.
4. While the disk refuses, nothing is read on: the lines wait in their files.
5. The hub's own data directory is never read.

It has a thread of its own; the store is asked through the writer that requests use too.
"""

import glob
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TypeVar

from loghub.event.encode import encode
from loghub.event.model import Event, format_time
from loghub.hub.counters import Counters
from loghub.hub.ingest import BadLine, GoodLine, Reading, read_line
from loghub.hub.positions import Positions
from loghub.hub.settings import Settings
from loghub.hub.writer import Writer
from loghub.reading.follow import Follower
from loghub.reading.lines import Line
from loghub.reading.lives import Chunk
from loghub.reading.sets import log_of
from loghub.wire.batch import Identity
from loghub.wire.ndjson import RawLine

_T = TypeVar("_T")

FILE = "watch.json"
"""Where the positions are kept, in the data directory."""

_PAUSE = 0.2
_LOOK_SECONDS = 1.0
_SAVE_SECONDS = 5.0
_AGAIN_SECONDS = 2.0
_QUIET_SECONDS = 60.0
_CLOSE_SECONDS = 10.0


class Watch:
    """Watches files until it is closed.

    Args:
        settings: the patterns of the files, the data directory and the limits.
        writer: who appends to the store.
        counters: where it is counted.
        tell: called with a sentence where something cannot be read or stored.
    """

    def __init__(
        self, settings: Settings, writer: Writer, counters: Counters, tell: Callable[[str], None] | None = None
    ) -> None:
        self._patterns = [os.path.abspath(pattern) for pattern in settings.watch]  # noqa: PTH100 (a pattern is no path)
        self._data = settings.data.absolute()
        self._max_line = settings.limits.line
        self._positions = Positions(settings.data / FILE)
        self._writer = writer
        self._counters = counters
        self._tell = tell
        self._told: dict[str, float] = {}
        self._followers: dict[Path, Follower] = {}
        self._looked_at = self._saved_at = float("-inf")
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loghub-watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let it end soon; from any thread."""
        self._is_ending.set()

    def close(self) -> None:
        """Wait for its end and keep how far it came; idempotent."""
        self.stop()

        if self._thread.ident is not None:
            self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        try:
            while not self._is_ending.wait(_PAUSE):
                self._step()

            self._save()
        except _EndedError:
            return  # within a chunk: what was read of it is not said to be stored
        except Exception as error:  # a hub without its watch must say so
            self._say("watch", f"has ended: {type(error).__name__}: {error}")
            raise
        finally:
            for follower in self._followers.values():
                follower.close()

    def _step(self) -> None:
        now = time.monotonic()

        if now - self._looked_at > _LOOK_SECONDS:
            self._looked_at = now
            self._find_logs()

        for log, follower in self._followers.items():
            for chunk in follower.poll():
                self._take(log, chunk)

        if now - self._saved_at > _SAVE_SECONDS:
            self._saved_at = now
            self._save()

    def _find_logs(self) -> None:
        found = {log_of(Path(path)) for pattern in self._patterns for path in _matching(pattern)}

        for log in sorted(found - self._followers.keys()):
            if not log.is_relative_to(self._data) and not log.is_dir():
                self._followers[log] = Follower(log, self._positions.of(log), tell=self._say_of)

    def _take(self, log: Path, chunk: Chunk) -> None:
        """Store the lines of a chunk, however long the disk refuses."""
        if not self._positions.has(chunk.before.source):
            self._until_done(lambda: self._begin(log, chunk))

        reading = self._read(log, chunk)
        identity = Identity(chunk.before.source, chunk.first, chunk.first + reading.size - 1)
        appended = self._until_done(lambda: self._writer.submit(reading, identity).result())
        self._counters.accepted.inc(appended.accepted)
        self._counters.duplicate.inc(appended.duplicate)
        self._counters.quarantined.inc(len(reading.bad))

    def _begin(self, log: Path, chunk: Chunk) -> None:
        """Have the ids of a log's files on the disk."""
        positions = self._followers[log].positions
        self._positions.put(log, [chunk.before if it.source == chunk.before.source else it for it in positions])
        self._positions.save()

    def _until_done(self, do: Callable[[], _T]) -> _T:
        while True:
            try:
                return do()
            except OSError as error:
                self._say("the disk", f"refuses ({error.strerror or error}); watched lines wait in their files")
            except (RuntimeError, CancelledError):  # the writer was closed
                raise _EndedError from None

            if self._is_ending.wait(_AGAIN_SECONDS):
                raise _EndedError

    def _save(self) -> None:
        """Keep how far each log was read; between two polls, all that was read is stored."""
        for log, follower in self._followers.items():
            self._positions.put(log, follower.positions)

        try:
            self._positions.save()
        except OSError as error:
            self._say("the disk", f"refuses ({error.strerror or error})")

    def _read(self, log: Path, chunk: Chunk) -> Reading:
        now_us = time.time_ns() // 1000
        good: list[GoodLine] = []
        bad: list[BadLine] = []

        for index, line in enumerate(chunk.piece.lines(chunk.path, chunk.first)):
            read = _read_line(index, line, log, self._max_line, now_us)

            if isinstance(read, GoodLine):
                good.append(read)

            elif read is not None:
                bad.append(read)

        return Reading.of(len(chunk.piece.texts), now_us, good, bad)

    def _say_of(self, path: Path, reason: str) -> None:
        self._say(str(path), reason)

    def _say(self, subject: str, sentence: str) -> None:
        """Say something, of each subject once a minute."""
        now = time.monotonic()

        if self._tell is not None and now >= self._told.get(subject, now):
            self._told[subject] = now + _QUIET_SECONDS
            self._tell(f"{subject}: {sentence}")


def _matching(pattern: str) -> list[str]:
    return glob.glob(pattern, recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)


class _EndedError(Exception):
    """The hub ends."""


def _read_line(index: int, line: Line, log: Path, max_bytes: int, now_us: int) -> GoodLine | BadLine | None:
    """Read a line; None where it is blank."""
    text = line.text.strip(b" \t\r")

    if not text:
        return None

    read = read_line(index, RawLine(line.number, text), max_bytes, now_us)

    if isinstance(read, GoodLine):
        return read

    if text.startswith(b"{") or len(text) > max_bytes:
        return BadLine(index, line.number, text[: max_bytes + 1], line.fault or read.error)

    fields = {
        "timestamp": format_time(now_us),
        "level": "INFO",
        "message": text.decode("utf-8", "replace"),
        "log_file": str(log),
    }
    return GoodLine(index, encode(fields), Event(now_us, 20, fields))
