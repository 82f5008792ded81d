"""`JSONFileHandler`: a log file with rotation and retention, written by any number of processes.

Here are its options and what `logging` asks of a handler; the file itself is `log_file.py`, its rolls `rolling.py`.

Rule: an error of the disk never reaches the application: the line is counted as lost, and it is said on stderr.
"""

import logging
import os
from pathlib import Path
from typing import Any

from loghub.formatters import JSONFormatter
from loghub.handlers.compression import parse_compression
from loghub.handlers.diagnostics import say
from loghub.handlers.lines import line_of
from loghub.handlers.log_file import LogFile
from loghub.handlers.retention import parse_retention
from loghub.handlers.rolling import Rolling
from loghub.handlers.rotation import parse_rotation
from loghub.options import names_unknown_options, text


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
        keep_total: bytes that the file and its segments may take together, as "5 GB"; any number by default.
        keep_free: bytes of the disk that its segments leave free, as "1 GB"; none by default.
        compress: gz or zst; segments are not compressed by default.
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
        keep_total: object = None,
        keep_free: object = None,
        compress: object = None,
        level: int | str = logging.NOTSET,
    ) -> None:
        owner = type(self).__name__

        # Options first: logging closes every handler that it knows, a half-made one too.
        path = Path(os.path.abspath(text(filename, owner, "filename")))  # noqa: PTH100 (as FileHandler: links stay)
        retention = parse_retention(keep, keep_files, owner, keep_total=keep_total, keep_free=keep_free)
        form = parse_compression(compress, owner)
        self._rolling = Rolling(parse_rotation(rotate, owner), retention, form=form)
        super().__init__(level)
        self.baseFilename = str(path)
        self.lost = 0
        self._plain = JSONFormatter()
        self._file = LogFile(lambda: path, self._rolling.prepare)

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
                self._file.write(line)
        except Exception as error:  # noqa: BLE001 (the disk, or another package's formatter: the application must not see it)
            self._lose(error)

    def close(self) -> None:
        """Let go of the file; a later record opens it again."""
        self.acquire()

        try:
            self._rolling.close(self._file)
        finally:
            self.release()

        super().close()

    def _lose(self, error: Exception) -> None:
        with self.lock:  # type: ignore[union-attr]  # as above
            self.lost += 1
            self._file.release()

        say(f"JSONFileHandler {self.baseFilename}", f"cannot write ({error}); {self.lost} lines lost so far")
