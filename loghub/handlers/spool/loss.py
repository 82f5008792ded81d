"""A loss, and the event that tells of it."""

import logging
from dataclasses import dataclass

from loghub.formatters import JSONFormatter


@dataclass(frozen=True, slots=True)
class Loss:
    """Records that were lost for want of room.

    Attributes:
        source: whose they were.
        first: number of the first.
        last: number of the last.
        records: how many.
        size: bytes that became free.
        time: when it was, in unix seconds; now where it is left out.
    """

    source: str
    first: int
    last: int
    records: int
    size: int = 0
    time: float | None = None

    def line(self) -> bytes:
        """Make the line of an event that tells of it."""
        message = f"{self.records} records dropped, seq {self.first}–{self.last}"
        fields = {"dropped": self.records, "first": self.first, "last": self.last, "source": self.source}
        made = {"levelno": logging.WARNING, "levelname": "WARNING", "name": "loghub.spool", "msg": message}
        when = {} if self.time is None else {"created": self.time}
        return JSONFormatter().format_line(logging.makeLogRecord(made | fields | when))
