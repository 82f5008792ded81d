"""What the store's background thread does: it seals what waits, and lets go of what is not kept.

Rules:
1. Each piece of work holds the house's lock, so that no two of them change the same part.
2. A piece that fails changed nothing that readers see; it is done again from its beginning.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from loghub.hub.store.books import Books
from loghub.hub.store.directory import Directory
from loghub.hub.store.engine import Cursor
from loghub.hub.store.hot import Hot
from loghub.hub.store.hot_parts import HotParts
from loghub.hub.store.partitions import Parts
from loghub.hub.store.queries import Queries
from loghub.hub.store.retention import Keep, expired
from loghub.hub.store.seal import OnStep, open_part, write_part


@dataclass(frozen=True, slots=True)
class House:
    """What the upkeep works on.

    Attributes:
        engine: to which sealed files are attached.
        directory: where the files are.
        parts: the set of all parts.
        hot: those in memory.
        books: saved when rows are sealed.
        queries: gives cursors that end when the store does.
        writing: the store's write lock.
        on_step: called with the name of each step.
        following: gives the next arrival number.
        lock: held by each piece of work.
    """

    engine: Cursor
    directory: Directory
    parts: Parts
    hot: HotParts
    books: Books
    queries: Queries
    writing: threading.Lock
    on_step: OnStep
    following: Callable[[], int]
    lock: threading.Lock = field(default_factory=threading.Lock)


class Upkeep:
    """Keeps a store in order.

    Args:
        house: what it works on.
        keep: how much is kept.
        clock_us: gives the time in microseconds.
    """

    def __init__(self, house: House, keep: Keep, clock_us: Callable[[], int]) -> None:
        self._house = house
        self._keep = keep
        self._clock_us = clock_us

    def run(self, closing: threading.Event) -> None:
        """Do what is to be done now; ends early where the store closes."""
        try:
            while not closing.is_set() and seal_one(self._house):
                pass
        finally:
            self.retain()

    def retain(self) -> None:
        """Let go of the parts that are not kept."""
        with self._house.lock:
            unfinished = [hot.sealed for hot in self._house.hot.waiting]  # their log is there still
            parts = [part for part in self._house.parts.current if part not in unfinished]
            gone = expired(parts, now_us=self._clock_us(), keep=self._keep)

            if gone:
                self._house.parts.change(remove=gone)


def seal_one(house: House) -> bool:
    """Seal the hot part that waits longest, or has become due; tell whether there was one."""
    with house.lock:
        with house.writing:
            house.hot.cut(house.following())
            hot = house.hot.waiting[0] if house.hot.waiting else None

        if hot is None:
            return False

        _seal(house, hot)

    return True


def _seal(house: House, hot: Hot) -> None:
    if hot.sealed is None:
        with house.queries.cursor(limited=False) as cursor:
            path = write_part(cursor, hot.part, house.directory.parts, house.on_step)

        hot.sealed = open_part(house.engine, path)
        house.parts.change(add=[hot.sealed], remove=[hot.part])
        house.on_step("attached")

    house.books.save()
    house.on_step("marked")
    hot.drop_log()
    house.on_step("dropped")

    with house.writing:
        house.hot.waiting.remove(hot)
