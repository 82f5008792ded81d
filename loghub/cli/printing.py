"""What `loghub search` and `loghub tail` write: events for people, or lines as they are."""

import os
import sys
import time
from typing import NoReturn, TextIO

from loghub.event.encode import decode
from loghub.event.model import Event
from loghub.query import parse, predicate
from loghub.readable import Readable, is_terminal, terminal_width, visible, wants_colour

INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended."""


class Printer:
    """Writes to a stream.

    Args:
        stream: where to; colours and width follow it.
        as_json: whether lines are written as they are.
    """

    def __init__(self, stream: TextIO, *, as_json: bool) -> None:
        self._stream = stream
        self._as_json = as_json
        width = terminal_width() if is_terminal(stream) else None
        self._readable = Readable(coloured=wants_colour(stream), width=width, dated=True)

    def show(self, text: bytes, event: Event | None) -> None:
        """Write a line; one that is no event is shown as the text that it is."""
        line = text.decode("utf-8", "replace")

        if not self._as_json:
            line = visible(line) if event is None else self._readable.render(event.fields)

        self._stream.write(f"{line}\n")

    def flush(self) -> None:
        """Have all of it written."""
        self._stream.flush()


class Chooser:
    """Reads lines and tells which match; a line that is no event counts as one that has it as its message.

    Args:
        query: text in the query language; "" for all.

    Raises:
        QuerySyntaxError: it cannot be read.
    """

    def __init__(self, query: str) -> None:
        self._now_us = time.time_ns() // 1000
        self._matches = predicate(parse(query), now_us=self._now_us)
        self._last_us = self._now_us

    def read(self, text: bytes) -> tuple[int, Event | None] | None:
        """Give a line's time and event where it matches; the event is None where the line is none."""
        text = text.strip(b" \t\r")

        try:
            event = Event.from_mapping(decode(text), now_us=self._last_us)
        except ValueError:
            return self._read_text(text)

        self._last_us = event.time_us
        return (event.time_us, event) if self._matches(event) else None

    def _read_text(self, text: bytes) -> tuple[int, None] | None:
        """Take a line of plain text for a message that follows the one before it."""
        message = Event(self._last_us, 20, {"level": "INFO", "message": text.decode("utf-8", "replace")})
        return (self._last_us, None) if text and self._matches(message) else None


def output() -> TextIO:
    """Give stdout, which takes any character."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)

    if reconfigure is not None:
        reconfigure(errors="backslashreplace")

    return sys.stdout


def end_quietly(status: int) -> NoReturn:
    """End where nobody reads any more, or somebody pressed Ctrl-C: without a word."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    raise SystemExit(status)
