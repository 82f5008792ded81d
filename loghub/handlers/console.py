"""The console: readable coloured lines on a terminal, JSON elsewhere.

A line reaches the stream in one write. Control characters of a message are shown as escapes,
so that a log cannot move the cursor or recolour the terminal.
"""

import calendar
import logging
import os
import re
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

from loghub.event.model import KEYS, TAIL_KEYS
from loghub.event.record import fields_of
from loghub.formatters import JSONFormatter
from loghub.handlers.diagnostics import say
from loghub.options import choice, names_unknown_options, switch

_STYLES = {"auto": "auto", "text": "text", "json": "json"}
_COLOURS = {"DEBUG": "90", "INFO": "36", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;35"}
_QUIET = "90"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SHOWN_ALREADY = frozenset((*KEYS, *TAIL_KEYS)) - {"component", "request_id"}


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

    Colours are used on a terminal; NO_COLOR switches them off, FORCE_COLOR on.
    A formatter that is none of loghub's is used as it is.
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
        self._json = JSONFormatter()
        super().__init__(stream)
        self.setLevel(level)

    def handle(self, record: logging.LogRecord) -> bool:
        """Pass the record on to `emit`, unless the console is switched off."""
        return bool(self.enabled and super().handle(record))

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as it is shown on this stream."""
        formatter = self.formatter or self._json

        if isinstance(formatter, JSONFormatter) and self._is_for_people():
            return readable(fields_of(record, formatter.static_fields, {}), coloured=_wants_colour(self.stream))

        return formatter.format(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Count what could not be written; the application goes on."""
        self.lost += 1
        say(
            "ConsoleHandler",
            f"cannot write ({sys.exc_info()[1]!r}, logger {record.name}); {self.lost} lines lost so far",
        )

    def _is_for_people(self) -> bool:
        return self._style_name == "text" or (self._style_name == "auto" and _is_terminal(self.stream))


def readable(fields: Mapping[str, Any], *, coloured: bool) -> str:
    """Give an event's fields as a line for people: time, level, logger, message, the rest as key=value."""
    level = str(fields["level"])
    colour = _COLOURS.get(level, "0") if coloured else ""
    clock = _paint(_local_clock(str(fields["timestamp"])), _QUIET if coloured else "")
    extras = [f"{_visible(key)}={_shown(value)}" for key, value in fields.items() if key not in _SHOWN_ALREADY]
    logger = _paint(_visible(str(fields["logger"])), _QUIET if coloured else "")
    parts = [clock, _paint(f"{level:<8}", colour), logger, _visible(str(fields.get("message", "")))]

    if extras:
        parts.append(_paint(" ".join(extras), _QUIET if coloured else ""))

    below = [str(fields[key]).rstrip("\n") for key in ("format_error", "exc_info", "stack_info") if key in fields]
    return "\n".join([" ".join(part for part in parts if part), *map(_visible_block, below)])


def _paint(text: str, colour: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if colour and text else text


def _local_clock(timestamp: str) -> str:
    """Give the local time of day, in milliseconds, of a line's timestamp."""
    moment = calendar.timegm(time.strptime(timestamp[:19], "%Y-%m-%dT%H:%M:%S"))
    return f"{time.strftime('%H:%M:%S', time.localtime(moment))}.{timestamp[20:23]}"


def _shown(value: object) -> str:
    text = _visible(value if isinstance(value, str) else _text(value))
    return f'"{text}"' if isinstance(value, str) and (not text or " " in text) else text


def _text(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 (a user's __repr__ may raise anything)
        return f"<{type(value).__name__}>"


def _visible(text: str) -> str:
    """Show control characters, line breaks too, as escapes."""
    return _visible_block(text).replace("\n", "\\n")


def _visible_block(text: str) -> str:
    return _CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # a stand-in without isatty, or a closed stream
        return False


def _wants_colour(stream: TextIO) -> bool:
    """Follow no-color.org: NO_COLOR wins where it is not empty, then FORCE_COLOR, then the terminal."""
    if os.environ.get("NO_COLOR"):
        return False

    return bool(os.environ.get("FORCE_COLOR")) or _is_terminal(stream)
