"""Fewer events than match, for who only looks: evenly chosen, and counted."""

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
        self._was_sampled = False

    def choose(self, events: Sequence[_T]) -> tuple[Sequence[_T], int | None]:
        """Give those to be shown, and of how many they are: None as long as all are shown.

        The newest is among those that are shown. Where the second's worth is used up, none is.
        """
        now = self._clock()
        self._room = min(self._rate, self._room + (now - self._looked) * self._rate)
        self._looked = now
        total = len(events)
        most = int(self._room)
        shown = events if total <= most else [events[(index + 1) * total // most - 1] for index in range(most)]
        self._room -= len(shown)
        is_told = bool(total) and (total > most or self._was_sampled)
        self._was_sampled = total > most if total else self._was_sampled
        return shown, total if is_told else None
