"""An event as a line for people: time, level, logger and message in columns, the rest as key=value.

Control characters are shown as escapes, so that a log cannot move the cursor, recolour the terminal
or forge a line. On a terminal the rest goes to a line of its own where it does not fit beside the message.
"""

import calendar
import importlib.util
import io
import os
import re
import shutil
import textwrap
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, TextIO

from loghub.event.model import KEYS, TAIL_KEYS

_COLOURS = {"DEBUG": "90", "INFO": "36", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;35"}
_QUIET = "90"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_OTHER_ESCAPES = re.compile(r"(?!\x1b\[[0-9;]*m)[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # colours are rich's own by then
_SHOWN_ALREADY = frozenset((*KEYS, *TAIL_KEYS)) - {"component", "request_id"}
_LEVEL_WIDTH = 8
_WIDEST_LOGGER = 28
_INDENT = 4
_NARROWEST = 40


class Readable:
    """Writes events for people.

    Args:
        coloured: whether ANSI colours are used.
        width: columns of the terminal; None where there is none, and lines are as long as they are.
        dated: whether the day is shown too, where it is not today.
    """

    def __init__(self, *, coloured: bool, width: int | None, dated: bool = False) -> None:
        self._coloured = coloured
        self._dated = dated
        self._width = None if width is None else max(width, _NARROWEST)
        self._logger_width = 0

    def render(self, fields: Mapping[str, Any], error: BaseException | None = None) -> str:
        """Give the text of an event, without the last newline; it has several lines where there is an exception."""
        first = self._line(fields)
        traceback = self._traceback(error) if error is not None else ""
        below = [_visible_block(str(fields[key])) for key in ("format_error", "stack_info") if key in fields]

        if traceback:
            below.append(traceback)

        elif "exc_info" in fields:
            below.append(_visible_block(str(fields["exc_info"])))

        return "\n".join([first, *(text.rstrip("\n") for text in below)])

    def _line(self, fields: Mapping[str, Any]) -> str:
        level, logger = visible(str(fields.get("level", ""))), visible(str(fields.get("logger", "")))
        self._logger_width = min(max(self._logger_width, len(logger)), _WIDEST_LOGGER)
        clock, message = (
            _local_clock(str(fields["timestamp"]), dated=self._dated),
            visible(str(fields.get("message", ""))),
        )
        extras = [f"{visible(key)}={_shown(value)}" for key, value in fields.items() if key not in _SHOWN_ALREADY]
        plain = f"{clock} {level:<{_LEVEL_WIDTH}} {logger:<{self._logger_width}} "

        head = " ".join(
            (
                self._paint(clock, _QUIET),
                self._paint(f"{level:<{_LEVEL_WIDTH}}", _COLOURS.get(level, "0")),
                self._paint(f"{logger:<{self._logger_width}}", _QUIET),
                message,
            )
        )
        return head + self._extras(extras, len(plain) + len(message))

    def _extras(self, extras: list[str], used: int) -> str:
        """Give the rest: behind the message, or below it where it does not fit."""
        text = " ".join(extras)

        if not text:
            return ""

        if self._width is None or used + 1 + len(text) <= self._width:
            return " " + self._paint(text, _QUIET)

        indent = " " * _INDENT
        lines = textwrap.wrap(
            text, self._width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
        )
        return "".join("\n" + self._paint(line, _QUIET) for line in lines)

    def _traceback(self, error: BaseException) -> str:
        """Give an exception with the source around it, where rich is installed and a person looks at it."""
        if self._width is None or not _has_rich():
            return ""

        from rich.console import Console  # noqa: PLC0415 (an optional package, for the first exception that is shown)
        from rich.traceback import Traceback  # noqa: PLC0415 (as above)

        stream = io.StringIO()
        console = Console(file=stream, width=self._width, force_terminal=self._coloured, no_color=not self._coloured)
        trace = Traceback.extract(type(error), error, error.__traceback__)

        for stack in trace.stacks:
            stack.exc_value = _visible_block(stack.exc_value)
            stack.notes = [_visible_block(str(note)) for note in stack.notes]

        console.print(Traceback(trace, width=self._width))
        return _OTHER_ESCAPES.sub(lambda found: repr(found[0])[1:-1], stream.getvalue())

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured and text else text


def terminal_width() -> int:
    """Give the columns of the terminal; COLUMNS wins."""
    return shutil.get_terminal_size().columns


def visible(text: str) -> str:
    """Show control characters, line breaks too, as escapes."""
    return _visible_block(text).replace("\n", "\\n").replace("\t", "\\t")


def _visible_block(text: str) -> str:
    return _CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a person looks at a stream."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # a stand-in without isatty, or a closed stream
        return False


def wants_colour(stream: TextIO) -> bool:
    """Follow no-color.org: NO_COLOR wins where it is not empty, then FORCE_COLOR, then the terminal."""
    if os.environ.get("NO_COLOR"):
        return False

    return bool(os.environ.get("FORCE_COLOR")) or is_terminal(stream)


def _local_clock(timestamp: str, *, dated: bool = False) -> str:
    """Give the local time of day, in milliseconds, of a line's timestamp; with the day where that is not today."""
    moment = calendar.timegm(time.strptime(timestamp[:19], "%Y-%m-%dT%H:%M:%S"))
    then = time.localtime(moment)
    day = f"{time.strftime('%Y-%m-%d', then)} " if dated and then[:3] != time.localtime()[:3] else ""
    return f"{day}{time.strftime('%H:%M:%S', then)}.{timestamp[20:23]}"


def _shown(value: object) -> str:
    text = visible(value if isinstance(value, str) else _text(value))
    return f'"{text}"' if isinstance(value, str) and (not text or " " in text) else text


def _text(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 (a user's __repr__ may raise anything)
        return f"<{type(value).__name__}>"


@cache
def _has_rich() -> bool:
    return importlib.util.find_spec("rich") is not None
