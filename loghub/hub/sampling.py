"""Fewer events than match, for who only looks: evenly chosen."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

_T = TypeVar("_T")


class Sampler:
    """Chooses at most so many events in a second; the first second's worth may come at once.

    Args:
        rate: events in a second.
        clock: gives seconds.
    """

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._room = float(rate)
        self._looked = clock()

    def choose(self, events: Sequence[_T]) -> Sequence[_T]:
        """Give those to be shown.

        The newest is among them. Where the second's worth is used up, there are none.
        """
        now = self._clock()
        self._room = min(self._rate, self._room + (now - self._looked) * self._rate)
        self._looked = now
        total, most = len(events), int(self._room)
        shown = events if total <= most else [events[(index + 1) * total // most - 1] for index in range(most)]
        self._room -= len(shown)
        return shown

    @property
    def rest(self) -> float:
        """Seconds for which none is to be shown before a whole second's worth may come again."""
        return 1 - self._room / self._rate
