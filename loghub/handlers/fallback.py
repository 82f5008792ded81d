"""Where lines go that a file refused for too long: stderr, another file, or another handler."""

import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from loghub.errors import ConfigError
from loghub.options import text

_busy = threading.local()


class Refused(NamedTuple):
    """A line that the file did not take, and its record where the fallback needs it."""

    line: bytes
    record: logging.LogRecord | None


Take = Callable[[Refused], None]


class Fallback:
    """Takes lines in place of a file.

    Args:
        word: what the configuration says.
        take: takes one; may raise.
        needs_records: whether it takes records, not lines.
    """

    def __init__(self, word: str, take: Take, *, needs_records: bool = False) -> None:
        self.word = word
        self.needs_records = needs_records
        self._take = take

    def take(self, refused: Refused) -> bool:
        """Take one; tell whether that worked."""
        # A handler may have us as its fallback: what comes back is lost, not passed round for ever.
        if getattr(_busy, "now", False):
            return False

        _busy.now = True

        try:
            self._take(refused)
        except Exception:  # noqa: BLE001 (it is the last resort: what it does not take is counted)
            return False
        finally:
            _busy.now = False

        return True


def parse_fallback(value: object, owner: str) -> Fallback | None:
    """Read the option `fallback`: "stderr", "file:PATH" or "handler:NAME".

    Raises:
        ConfigError: it is none of these.
    """
    if value is None:
        return None

    word = text(value, owner, "fallback")
    kind, _, name = word.partition(":")

    if word == "stderr":
        return Fallback(word, _to_stderr)

    if kind == "file" and name:
        return Fallback(word, _ToFile(Path(name).absolute()))

    if kind == "handler" and name:
        return Fallback(word, _ToHandler(name), needs_records=True)

    raise ConfigError(owner, "fallback", value, 'give "stderr", "file:PATH" or "handler:NAME"')


def _to_stderr(refused: Refused) -> None:
    sys.stderr.write(refused.line.decode("utf-8", "backslashreplace"))
    sys.stderr.flush()


class _ToFile:
    """Appends to a file, opened for each line: it may be on the same troubled disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, refused: Refused) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

        try:
            if os.write(descriptor, refused.line) < len(refused.line):
                with suppress(OSError):
                    os.write(descriptor, b"\n")

                raise OSError("no room")
        finally:
            os.close(descriptor)


class _ToHandler:
    """Gives the record to a handler of the configuration, looked up when it is needed: it may be made later."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, refused: Refused) -> None:
        handler = logging._handlers.get(self._name)  # type: ignore[attr-defined]  # noqa: SLF001 (getHandlerByName is 3.12+)

        if handler is None or refused.record is None:
            raise LookupError(self._name)

        if refused.record.levelno >= handler.level:
            handler.handle(refused.record)
