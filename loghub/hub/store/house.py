"""What the upkeep of a store works on: its parts in memory and in files, and the locks around them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from loghub.hub.store.books import Books
from loghub.hub.store.directory import Directory
from loghub.hub.store.engine import Cursor
from loghub.hub.store.hot_parts import HotParts
from loghub.hub.store.partitions import Part, Parts
from loghub.hub.store.quarantine import Quarantine
from loghub.hub.store.queries import Queries
from loghub.hub.store.seal import OnStep
from loghub.hub.store.shelf import Shelf
from loghub.hub.store.turns import Turns


@dataclass(frozen=True, slots=True)
class House:
    """What the upkeep works on.

    Attributes:
        engine: to which sealed files are attached.
        directory: where the files are.
        parts: the set of all parts.
        shelf: those in files.
        hot: those in memory.
        books: saved when rows are sealed.
        queries: gives cursors that end when the store does.
        quarantine: the lines that are no events.
        writing: the store's write lock.
        on_step: called with the name of each step.
        following: gives the next arrival number.
        lock: held by each piece of work, so that no two of them change the same part.
    """

    engine: Cursor
    directory: Directory
    parts: Parts
    shelf: Shelf
    hot: HotParts
    books: Books
    queries: Queries
    quarantine: Quarantine
    writing: threading.Lock
    on_step: OnStep
    following: Callable[[], int]
    lock: Turns = field(default_factory=Turns)

    @property
    def finished(self) -> list[Part]:
        """The sealed parts whose log has ended, in order of arrival: only these may be changed or removed."""
        parts = [part for part in self.parts.current if part.path and part.extent.last < self.edge]
        return sorted(parts, key=lambda part: part.extent.first)

    @property
    def unfinished(self) -> list[Part]:
        """The other parts: the log has their rows."""
        return [part for part in self.parts.current if self.edge <= part.extent.last]

    @property
    def edge(self) -> int:
        """The first arrival number that the log may have."""
        return self.hot.all[0].part.extent.first
