"""The console: readable coloured lines on a terminal, JSON elsewhere.

An event reaches the terminal, pipe or file in one `write` of the system, so that threads and processes
that share it do not break each other's lines (a pipe promises that up to 4096 bytes).
"""

import io
import logging
import os
import sys
from typing import TextIO

from loghub.errors import ConfigError
from loghub.formatters import JSONFormatter
from loghub.handlers.diagnostics import say
from loghub.options import choice, names_unknown_options, switch
from loghub.readable import Readable, is_terminal, terminal_width, wants_colour

_STYLES = {"auto": "auto", "text": "text", "json": "json"}


class ConsoleHandler(logging.StreamHandler[TextIO]):
    """Write records to the console.

    ```yaml
    handlers:
      console: {class: loghub.ConsoleHandler, enabled: "env:SHOP_CONSOLE"}
    ```

    Args:
        stream: where to write; stderr by default. In YAML as `ext://sys.stdout`.
        enabled: true, false or "env:NAME"; the environment variable LOGHUB_CONSOLE wins over it.
        style: "auto" writes for people on a terminal and the formatter's lines (JSON by default)
            elsewhere; "text" and "json" say which.
        level: as in `logging.Handler`.

    On a terminal, exceptions are shown with the source around them where rich is installed.
    Colours are used on a terminal; NO_COLOR switches them off, FORCE_COLOR on.
    A formatter that is none of loghub's, or that has hooks of its own, is used as it is. One that masks
    shows the usual traceback, masked.
    """

    @names_unknown_options
    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        enabled: bool | str = True,
        style: str = "auto",
        level: int | str = logging.NOTSET,
    ) -> None:
        owner = type(self).__name__
        self.enabled = switch(enabled, owner, "enabled", override="LOGHUB_CONSOLE")
        self.lost = 0
        self._style_name = choice(style, owner, "style", _STYLES)

        if stream is not None and not callable(getattr(stream, "write", None)):
            raise ConfigError(owner, "stream", stream, "give a stream, in YAML as ext://sys.stdout or ext://sys.stderr")

        self._json = JSONFormatter()
        self._readable: Readable | None = None
        super().__init__(stream)
        self.setLevel(level)

    def handle(self, record: logging.LogRecord) -> bool:
        """Pass the record on to `emit`, unless the console is switched off."""
        return bool(self.enabled and super().handle(record))

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as it is shown on this stream."""
        formatter = self.formatter or self._json

        if isinstance(formatter, JSONFormatter) and formatter.is_declared and self._is_for_people():
            error = record.exc_info[1] if record.exc_info and not formatter.masks else None
            return self._people().render(formatter.fields(record), error)

        return formatter.format(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record to the stream; what cannot be written is counted as lost."""
        try:
            text = self.format(record) + self.terminator
            descriptor = _descriptor(self.stream)

            if descriptor is None:
                self.stream.write(text)
                self.flush()
            else:
                self.flush()
                _write(descriptor, text.encode(self.stream.encoding or "utf-8", "backslashreplace"))
        except Exception:  # noqa: BLE001 (the application must not see a logging error)
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Count what could not be written; the application goes on."""
        self.lost += 1
        say(
            "ConsoleHandler",
            f"cannot write ({sys.exc_info()[1]!r}, logger {record.name}); {self.lost} lines lost so far",
        )

    def _people(self) -> Readable:
        if self._readable is None:
            width = terminal_width() if is_terminal(self.stream) else None
            self._readable = Readable(coloured=wants_colour(self.stream), width=width)

        return self._readable

    def _is_for_people(self) -> bool:
        return self._style_name == "text" or (self._style_name == "auto" and is_terminal(self.stream))


def _descriptor(stream: TextIO) -> int | None:
    """Give the descriptor behind a text stream; None for one in memory, or one that somebody put in its place."""
    if type(stream) is not io.TextIOWrapper:
        return None

    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _write(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)

    while written < len(data):
        written += os.write(descriptor, data[written:])
