"""What holds records back by kind and tells how many: the common part of `RateLimitFilter` and `DedupeFilter`.

Rules:
1. What was held back is told: as a field on the next record of its kind that passes, else as an event of its own
   as soon as any record comes by after the window has ended, and at the end of the process. No thread is started
   for it. That event goes to the handlers that the filter hangs on, outside of the context of whoever logs next.
2. No lock is held while an event is told, and none of logging's is taken. A record that a signal handler or
   `__del__` logs while another one is judged passes unjudged.
3. The child of a fork begins anew: the parent tells what it held back.
"""

import atexit
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context
from typing import TypeAlias

from loghub.errors import ConfigError
from loghub.event.encode import safe_text
from loghub.filters.marks import TELLS, new_mark
from loghub.filters.windows import Example, Held, Verdict, Windows
from loghub.options import duration

_LONGEST = 500

_Handle: TypeAlias = Callable[[logging.LogRecord], object]
_News: TypeAlias = tuple[Held, tuple[_Handle, ...]]


class HoldingFilter(logging.Filter):
    """What holds records back by kind and tells how many."""

    _field: str
    """The field on a record that passes which says how many did not."""
    _sentence: str
    """The message of the event that says so."""

    def __init__(self, windows: Windows, keep: int | None, clock: Callable[[], float]) -> None:
        super().__init__()
        self._windows = windows
        self._keep = keep
        self._clock = clock
        self._mark = new_mark()
        self._untold = 0
        self._renew()
        _holding.add(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record passes."""
        if TELLS in record.__dict__ or (self._keep is not None and record.levelno >= self._keep):
            return True

        with self._lock:
            if self._judging:
                return True

            known = record.__dict__.get(self._mark)

            if known is not None:
                return bool(known)

            verdict = self._judge_guarded(record)
            news = self._tellable(verdict.ended)
            self._mark_record(record, verdict)

        self._tell(news)
        return verdict.passes

    def flush(self) -> None:
        """Tell what has been held back so far, and begin new windows."""
        with self._lock:
            news = self._tellable(self._windows.close_all())

        self._tell(news)

    def _judge(self, record: logging.LogRecord) -> Verdict:
        raise NotImplementedError

    def _judge_guarded(self, record: logging.LogRecord) -> Verdict:
        self._judging = True

        try:
            return self._judge(record)
        finally:
            self._judging = False

    def _mark_record(self, record: logging.LogRecord, verdict: Verdict) -> None:
        record.__dict__[self._mark] = verdict.passes
        self._untold += verdict.before

        if not verdict.passes:
            _tell_at_exit()

        elif self._untold and self._field not in record.__dict__:
            record.__dict__[self._field] = self._untold
            self._untold = 0

    def _tellable(self, ended: Iterable[Held]) -> list[_News]:
        """Find who is to be told; what nobody can be told, the next record that passes carries."""
        found = [(held, tuple(self._ways(held.example))) for held in ended]
        self._untold += sum(held.count for held, ways in found if not ways)
        return [(held, ways) for held, ways in found if ways]

    def _tell(self, news: list[_News]) -> None:
        for held, ways in news:
            for handle in ways:
                Context().run(handle, self._event(held))

    def _ways(self, example: Example) -> Iterator[_Handle]:
        """Find what this filter hangs on, as a record of that logger would find it."""
        # Not getLogger: it takes the lock of logging, which a new configuration may hold.
        logger = _nearest_logger(example.logger)

        if self in logger.filters:
            yield logger.handle
            return

        at: logging.Logger | None = logger

        while at is not None:
            yield from (each.handle for each in at.handlers if self in each.filters and example.levelno >= each.level)
            at = at.parent if at.propagate else None

    def _event(self, held: Held) -> logging.LogRecord:
        example = held.example
        make = logging.getLogRecordFactory()
        record = make(
            example.logger, example.levelno, example.file, example.line,
            self._sentence, (held.count, example.text), None, example.function,
        )  # fmt: skip
        record.__dict__.update({self._field: held.count, TELLS: True})
        return record

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._judging = False

    def _begin_anew(self) -> None:
        """Forget what belongs to the parent process, which tells it."""
        self._renew()
        self._windows.close_all()
        self._untold = 0


def interval_of(value: object, owner: str, option: str) -> float:
    """Read a length of time that is more than none."""
    seconds = duration(value, owner, option)

    if seconds <= 0:
        raise ConfigError(owner, option, value, "give more than no time")

    return seconds


def shown(value: object) -> str:
    """Show a message or template, whatever it is."""
    return value if isinstance(value, str) else safe_text(value)


def example_of(record: logging.LogRecord, text: str) -> Example:
    """Keep of a record what is told of it."""
    return Example(record.name, record.levelno, text[:_LONGEST], record.pathname, record.lineno, record.funcName)


def _nearest_logger(name: str) -> logging.Logger:
    known = logging.root.manager.loggerDict

    while name:
        if isinstance(logger := known.get(name), logging.Logger):
            return logger

        name = name.rpartition(".")[0]

    return logging.root


_holding: "weakref.WeakSet[HoldingFilter]" = weakref.WeakSet()
_armed: set[int] = set()  # the process whose end is watched


def _tell_at_exit() -> None:
    """Watch the end of this process, from its first record held back on.

    Handlers that deliver at the end have registered by then, so this runs before them.
    """
    if os.getpid() in _armed:
        return

    _armed.clear()
    _armed.add(os.getpid())
    atexit.unregister(_flush_all)  # of the parent, in the child of a fork
    atexit.register(_flush_all)

    if "multiprocessing.util" in sys.modules:  # whose children run no atexit
        sys.modules["multiprocessing.util"].Finalize(None, _flush_all, exitpriority=-50)


def _flush_all() -> None:
    for each in tuple(_holding):
        each.flush()


def _after_fork_in_child() -> None:
    for each in tuple(_holding):
        each._begin_anew()  # noqa: SLF001 (of this module)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
