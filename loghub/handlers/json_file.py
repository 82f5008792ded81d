"""`JSONFileHandler`: a log file with rotation and retention, written by any number of processes.

Here are its options and what `logging` asks of a handler. The file itself is `log_file.py`, its rolls `rolling.py`,
what happens where the disk refuses `sturdy_file.py`, the standard library's attributes and hooks `drop_in.py`.
"""

import datetime as dt
import logging
import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from loghub.errors import ConfigError
from loghub.formatters import JSONFormatter
from loghub.handlers.diagnostics import say
from loghub.handlers.drop_in import DropInFileHandler, FileStream
from loghub.handlers.file_options import FileSettings, parse_settings
from loghub.handlers.line_worker import LineWorker
from loghub.handlers.lines import writer_of
from loghub.handlers.log_file import LogFile
from loghub.handlers.rolling import Rolling, segment_path
from loghub.handlers.rounds import rounds
from loghub.handlers.standard_rolls import StandardRolls, parse_when
from loghub.handlers.sturdy_file import SturdyFile
from loghub.options import count, names_unknown_options, switch

_SYNC_SECONDS = 0.5


class JSONFileHandler(DropInFileHandler):
    """Write each record as a JSON line to a file.

    ```yaml
    handlers:
      file: {class: loghub.JSONFileHandler, filename: logs/app.jsonl, rotate: [100 MB, midnight], keep: 14 days}
    ```
    The options up to `atTime` are those of `RotatingFileHandler` and `TimedRotatingFileHandler`, with their meaning.

    Args:
        filename: the file, as "logs/{hostname}-{process}-{date:%Y-%m}.jsonl"; missing directories are made.
        mode: a appends; w empties the file when it is first opened, unless it is rolled over; x wants a new one.
        maxBytes: a line that would make the file this long goes to the new file; app.jsonl.1 is the newest old one.
        backupCount: how many of these are kept; without it, and with maxBytes, nothing is rolled over.
        encoding: of the file; UTF-8 by default.
        delay: whether the file is opened with the first record only.
        errors: what is done about characters that the encoding lacks; escapes as of JSON by default.
        when: S, M, H, D, midnight or W0 to W6: dated names, as app.jsonl.2026-11-22.
        interval: how many of these go by between two rolls.
        utc: whether they are counted in UTC.
        atTime: time of the day to roll over, for midnight and W0 to W6, as "03:30".
        rotate: when to roll over: "100 MB", "1 day", "midnight", or a list of them; never by default.
        keep: age up to which rolled-over segments are kept, as "14 days"; for ever by default.
        keep_files: how many rolled-over segments are kept; all by default.
        keep_total: bytes that the file and its segments may take together, as "5 GB"; any number by default.
        keep_free: bytes of the disk that its segments leave free, as "1 GB"; none by default.
        compress: gz or zst; segments are not compressed by default.
        on_start: append, roll (a file that is not empty is rolled over first) or truncate.
        shared: whether other processes write to the file too, or move it; true by default, except on Windows. Without
            it nobody looks whether the file still has its name.
        look_every: how long it may take to notice that the file was moved or deleted; 0 looks before each line.
        durability: what a written line survives: process (its death); interval and record flush it to the device
            too, within half a second or at once.
        fallback: where lines go that cannot wait any longer: "stderr", "file:PATH" or "handler:NAME".
        waiting: how many lines may wait for a file that refuses them.
        waiting_bytes: how many bytes of them.
        permissions: of a new file, as "0640".
        owner: of a new file: name or number.
        group: of a new file: name or number.
        write: direct (by who logs: it survives the death of the process), or async (by a thread, some 20 ms later).
        queue: with async, how many lines may be queued; 10 000 by default.
        queue_bytes: how many bytes of them; "16 MB" by default.
        overflow: when the queue is full: block (the default), drop_oldest, drop_new or by_level.
        block_timeout: how long `block` waits for room; "1 s" by default.
        exit_deadline: how long the end of the process waits for the queue; "5 s" by default.
        level: as in `logging.Handler`.

    Attributes:
        baseFilename: absolute path of the file.
        lost: lines that are neither in the file nor in the fallback.
    """

    @names_unknown_options
    def __init__(  # noqa: PLR0913 (the options of two handlers of the standard library, and its own)
        self,
        filename: str | os.PathLike[str],
        mode: str = "a",
        maxBytes: int | str = 0,  # noqa: N803 (as the standard library)
        backupCount: int = 0,  # noqa: N803 (as above)
        encoding: str | None = None,
        delay: bool = False,  # noqa: FBT001, FBT002 (as above)
        errors: str | None = None,
        *,
        when: str | None = None,
        interval: int | None = None,
        utc: bool | None = None,
        atTime: dt.time | str | None = None,  # noqa: N803 (as above)
        rotate: object = None,
        keep: object = None,
        keep_files: object = None,
        keep_total: object = None,
        keep_free: object = None,
        compress: object = None,
        on_start: str = "append",
        shared: object = None,
        look_every: object = 1.0,
        durability: str = "process",
        fallback: str | None = None,
        waiting: object = 10_000,
        waiting_bytes: object = "16 MB",
        permissions: str | None = None,
        owner: str | int | None = None,
        group: str | int | None = None,
        write: str = "direct",
        queue: object = None,
        queue_bytes: object = None,
        overflow: str | None = None,
        block_timeout: object = None,
        exit_deadline: object = None,
        level: int | str = logging.NOTSET,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "__class__")}

        # Options first: logging closes every handler that it knows, a half-made one too.
        title = type(self).__name__
        settings = parse_settings(given, title)
        self.maxBytes, self.backupCount = settings.max_bytes, settings.backups
        self._take_times(settings.by_time)
        self.baseFilename = str(settings.name())
        self.mode, self.encoding, self.errors, self.delay = mode, encoding, errors, settings.delay
        self._settings = settings
        self._plain: logging.Formatter = JSONFormatter()
        self._line_of = writer_of(self._plain)
        self._heeded: object = self  # none yet: the first record finds the formatter
        self._asks = _overrides(self, "shouldRollover")

        if self._asks and settings.queue is not None:
            raise ConfigError(
                title, "write", write, "a class with its own shouldRollover is asked for each record: direct"
            )

        self._make_rolling(settings)
        self._syncer = (
            rounds("loghub-sync", _SYNC_SECONDS, SturdyFile.sync) if settings.durability == "interval" else None
        )
        file = LogFile(settings.name, self._prepare, settings.opening)
        synced = settings.durability == "record"
        ring = (settings.waiting, settings.waiting_bytes)
        self._sturdy = SturdyFile(file, *ring, settings.fallback, self._tell, synced=synced)
        self._stream = FileStream(self._sturdy, mode, settings.encoding, settings.errors)
        needs = settings.fallback is not None and settings.fallback.needs_records
        queue_of = settings.queue
        self._worker = None if queue_of is None else LineWorker(self._sturdy, queue_of, keeps_records=needs)
        self._is_hooked = self._asks or self._worker is not None or self._copies or _overrides(self, "emit")
        self._starts_with_roll = settings.start == "roll"
        logging.Handler.__init__(self, level)

        if not self.delay:
            self._begin()

    @property
    def lost(self) -> int:
        """Lines that are neither in the file nor in the fallback."""
        return self._sturdy.lost + (self._worker.dropped if self._worker is not None else 0)

    def handle(self, record: logging.LogRecord) -> bool:
        """Append the record's line without a lock where nobody has to be asked; else pass the record on to `emit`.

        What `emit` and `LogFile.write` do stands here once more: a call for each part costs a tenth.
        """
        if self.filters or self._is_hooked:
            return self._handle_filtered(record)

        try:
            if self.formatter is not self._heeded:  # by whatever way it was set
                self._heed(self.formatter)

            line = self._line_of(record)
        except Exception as error:  # noqa: BLE001 (another package's formatter: the application must not see it)
            self._fail(record, error)
            return True

        try:
            file = self._sturdy.quick
            outlet = file.outlet  # held, so that its descriptor stays open
            length = len(line)

            if file.held + length <= outlet.most and outlet.since <= record.created < outlet.until:
                if (written := os.write(outlet.number, line)) < length:
                    file.write_rest(outlet, line, written)

                file.held += length
                outlet.remembered.append(line)
                return True
        except OSError as error:
            self._sturdy.refuse(line, record, error)
            return True

        self._write(line, record)
        return True

    def _handle_filtered(self, record: logging.LogRecord) -> bool:
        passed: Any = self.filter(record)

        if passed:  # from Python 3.12 on a filter may give another record
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)

        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Append the record's line; one that the file refuses waits."""
        try:
            line = self._line(record)
        except Exception as error:  # noqa: BLE001 (as in handle)
            self._fail(record, error)
            return

        if self._worker is None:
            self._write(line, record)
        else:
            self._worker.put(line, record)

    def _write(self, line: bytes, record: logging.LogRecord) -> None:
        sturdy = self._sturdy

        try:
            with sturdy.lock:
                if self._asks and self.shouldRollover(record):
                    self.doRollover()

                sturdy.write(line)
        except Exception as error:  # noqa: BLE001 (the disk, or a hook: as above)
            sturdy.refuse(line, record, error)

    def flush(self) -> None:
        """Write what is queued, and try again to write what the file refused."""
        if self._worker is None or self._worker.drain():
            self._sturdy.flush()

    def close(self) -> None:
        """Let go of the file; a later record opens it again, except in mode w."""
        if self._worker is None or self._worker.close():  # else its thread goes on
            self._sturdy.close(for_good=self._settings.mode == "w")

            with self._sturdy.lock:
                self._rolling.close(self._sturdy.file)

        logging.Handler.close(self)

    def _open_first(self, file: LogFile, now: float) -> None:
        self._rolling.look(file, now)

        if self._starts_with_roll and file.measure():
            self._rolling.roll(file, None, now)

        self._starts_with_roll = False

    @property
    def _copies(self) -> bool:
        """Whether a hook may copy the file at a roll and delete it: then no other thread writes meanwhile."""
        return callable(self.rotator) or _overrides(self, "rotate") or _overrides(self, "doRollover")

    def _prepare(self, file: LogFile, incoming: int, now: float) -> None:
        self._is_hooked = self._is_hooked or self._copies  # a rotator is set at any time

        if self._starts_with_roll:
            self._open_first(file, now)

        self._rolling.prepare(file, incoming, now)

        if self._syncer is not None:
            self._syncer.mind(self._sturdy)

    def _line(self, record: logging.LogRecord) -> bytes:
        if self.formatter is not self._heeded:
            self._heed(self.formatter)

        return self._line_of(record)

    def _heed(self, formatter: logging.Formatter | None) -> None:
        settings = self._settings
        self._line_of = writer_of(formatter or self._plain, settings.encoding, settings.errors)
        self._heeded = formatter

    def _fail(self, record: logging.LogRecord, error: Exception) -> None:
        """Count a record that has no line; it is told in the file unless there is a hook that is told."""
        if _overrides(self, "handleError") or "handleError" in self.__dict__:
            self._sturdy.lose(1)

            with suppress(Exception):
                self.handleError(record)

            return

        reason = f"a record has no line ({type(error).__name__}: {error})"
        self._sturdy.lose(1, reason)
        say(f"JSONFileHandler {self.baseFilename}", reason, subject="line")

    def _take_times(self, by_time: Mapping[str, Any]) -> None:
        """Take over what the standard library makes of `when` and its like."""
        if not by_time:
            return

        title = type(self).__name__
        self.when = str(by_time.get("when", "h")).upper()
        times = parse_when(by_time.get("when", "h"), title)
        self.interval = times.seconds * count(by_time.get("interval", 1), title, "interval")
        self.suffix, self.extMatch = times.suffix, re.compile(rf"(?<!\d){times.pattern}(?!\d)", re.ASCII)
        self.dayOfWeek = int(self.when[1]) if self.when[1:].isdecimal() else 0
        self.utc = switch(by_time.get("utc", False), title, "utc")
        self.atTime = by_time.get("atTime")

    def _make_rolling(self, settings: FileSettings) -> None:
        hooked = _overrides(self, "doRollover")
        self._standard = StandardRolls(self, asks_always=hooked) if settings.is_standard else None
        rule = self._standard or settings.rotation
        self._rolling = Rolling(rule, settings.retention, self._rename, settings.look_every, form=settings.form)
        self._rolling.due = self._roll_by_hook if hooked else None

    def _begin(self) -> None:
        """Open the file; a disk that refuses it is said, and tried again by the first record."""
        now = time.time()

        try:
            with self._sturdy.lock:
                self._open_first(self._sturdy.file, now)
        except FileExistsError:
            if self._settings.mode == "x":
                raise
        except OSError as error:
            say(f"JSONFileHandler {self.baseFilename}", f"cannot open it ({error}); tries again with each record")

    def _rename(self, path: Path, now: float) -> None:
        """Give the file its older name, by the hooks there are."""
        try:
            if self._standard is not None:
                self._standard.rename(path, now)
            else:
                self.rotate(str(path), self.rotation_filename(str(segment_path(path, now))))
        except OSError:
            raise
        except Exception as error:
            raise OSError(f"{type(error).__name__} in a hook: {error}") from error

    def _roll_by_hook(self) -> None:
        try:
            self.doRollover()
        except Exception as error:
            raise OSError(f"{type(error).__name__} in doRollover: {error}") from error

    def _tell(self, lost: int, diverted: int, reason: str) -> bytes:
        """Make the line that tells of lines which are missing in the file."""
        parts = [f"{lost} lines lost"] if lost or not diverted else []
        parts += (
            [f"{diverted} lines went to {self._settings.fallback.word}"] if diverted and self._settings.fallback else []
        )
        record = logging.LogRecord("loghub.file", logging.WARNING, __file__, 0, ", ".join(parts), None, None)
        record.__dict__.update(lost_lines=lost, diverted_lines=diverted, reason=reason)
        return self._line(record)


def _overrides(handler: JSONFileHandler, name: str) -> bool:
    return getattr(type(handler), name) is not getattr(JSONFileHandler, name)
