"""`DedupeFilter`: one of several equal records, and how often it was repeated."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from loghub.event.encode import safe_text
from loghub.filters.holding import HoldingFilter, example_of, interval_of, shown
from loghub.filters.windows import Held, Verdict, Windows
from loghub.options import count, names_unknown_options, severity, switch


class DedupeFilter(HoldingFilter):
    """Let one of several equal records through, and tell how often it was repeated.

    ```yaml
    filters:
      dedupe: {(): loghub.DedupeFilter, window: "10 s"}
    ```
    Records are equal if logger, level, message and exception are; other extras do not count. The next equal record
    that passes has the number as `repeated`; where none comes, an event says "repeated 312 times: …".

    Args:
        window: how long equal records are held back, in seconds or as "10 s"; it begins with the first.
        consecutive: whether another record of the same logger ends the window, as syslog has it.
        keep: level from which on all records pass; without it, none is exempt.
        max_kinds: how many different records are remembered; beyond, the oldest is told and forgotten.
        clock: gives seconds.
    """

    _field = "repeated"
    _sentence = "repeated %d times: %s"

    @names_unknown_options
    def __init__(
        self,
        window: float | str = "10 s",
        *,
        consecutive: bool | str = False,
        keep: int | str | None = None,
        max_kinds: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        owner = "DedupeFilter"
        self._most = count(max_kinds, owner, "max_kinds")
        self._consecutive = switch(consecutive, owner, "consecutive")
        self._last: OrderedDict[str, Hashable] = OrderedDict()
        windows = Windows(1, interval_of(window, owner, "window"), self._most)
        super().__init__(windows, None if keep is None else severity(keep, owner, "keep"), clock)

    def _judge(self, record: logging.LogRecord) -> Verdict:
        message = _message(record)
        error = record.exc_info[1] if record.exc_info else None
        kind = hash((record.name, record.levelno, message, type(error), None if error is None else safe_text(error)))
        broken = self._broken(record.name, kind) if self._consecutive else []
        verdict = self._windows.judge(kind, self._clock(), example_of(record, message))
        return Verdict(verdict.passes, verdict.before, (*broken, *verdict.ended))

    def _broken(self, logger: str, kind: Hashable) -> list[Held]:
        """End the run of another record, if this one breaks it."""
        last = self._last.pop(logger, None)
        self._last[logger] = kind

        if len(self._last) > self._most:
            self._last.popitem(last=False)

        return [] if last is None or last == kind else self._windows.close(last)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 (a user's __str__ or a wrong % may raise anything)
        return shown(record.msg)
