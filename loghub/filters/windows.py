"""Windows of time by kind: which records of a kind pass, and how many did not. Pure: the time is given.

A kind's window begins with its first record and has one length for all. The first `limit` records in it pass,
the rest is held back and counted. The count is given once: with the next record of the kind that passes after
the window's end, or among `ended`.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """A record that was held back, as far as it is told.

    Attributes:
        logger: its logger's name.
        levelno: its level.
        text: its message or template, cut.
        file: path of the source.
        line: number of the line there.
        function: name of the function.
    """

    logger: str
    levelno: int
    text: str
    file: str
    line: int
    function: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """How many of a kind were held back, and the last one of them."""

    count: int
    example: Example


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a record.

    Attributes:
        passes: whether it does.
        before: how many of its kind were held back before it and have not been told.
        ended: other kinds whose window has ended, where something was held back.
    """

    passes: bool
    before: int = 0
    ended: tuple[Held, ...] = ()


class Windows:
    """The windows of all kinds.

    Args:
        limit: how many records of a kind pass in a window.
        length: of a window, in seconds.
        most: how many kinds are remembered.
    """

    def __init__(self, limit: int, length: float, most: int) -> None:
        self._limit = limit
        self._length = length
        self._most = most
        self._windows: OrderedDict[Hashable, _Window] = OrderedDict()  # in the order in which they began

    def judge(self, kind: Hashable, now: float, example: Example) -> Verdict:
        """Judge a record."""
        window = self._windows.get(kind)

        if window is None or window.start + self._length <= now:
            before = 0 if window is None else window.held
            self._windows.pop(kind, None)
            ended = self.ended(now)
            ended += self._make_room()
            self._windows[kind] = _Window(now)
            return Verdict(passes=True, before=before, ended=tuple(ended))

        ended = self.ended(now)

        if window.passed < self._limit:
            window.passed += 1
            return Verdict(passes=True, ended=tuple(ended))

        window.held += 1
        window.example = example
        return Verdict(passes=False, ended=tuple(ended))

    def ended(self, now: float) -> list[Held]:
        """Forget the windows that have ended, and give what was held back in them."""
        found: list[Held] = []

        while self._windows and (first := next(iter(self._windows.values()))).start + self._length <= now:
            self._windows.popitem(last=False)
            found += first.told()

        return found

    def close(self, kind: Hashable) -> list[Held]:
        """End a kind's window."""
        window = self._windows.pop(kind, None)
        return [] if window is None else window.told()

    def close_all(self) -> list[Held]:
        """End all windows."""
        found = [held for window in self._windows.values() for held in window.told()]
        self._windows.clear()
        return found

    def _make_room(self) -> list[Held]:
        return self._windows.popitem(last=False)[1].told() if len(self._windows) >= self._most else []


@dataclass(slots=True)
class _Window:
    start: float
    passed: int = 1
    held: int = 0
    example: Example | None = None

    def told(self) -> list[Held]:
        return [] if self.example is None else [Held(self.held, self.example)]
