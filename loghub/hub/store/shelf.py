"""The sealed files of a running store: one takes the place of others, or some go.

Rules:
1. A file loses its name at once, and its space when its last reader lets go. So what is gone stays gone over a crash.
2. The file that takes the place of others is durable under its name before theirs end. Until these have ended,
   and until one that could not be opened has ended, no other file takes a place: a name of a higher generation
   (`part_name`) always has what was left last.
3. To remove a file needs no room on the disk.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from loghub.hub.store.durable import sync_directory
from loghub.hub.store.engine import Cursor
from loghub.hub.store.part_name import PartName
from loghub.hub.store.partitions import Part, Parts
from loghub.hub.store.queries import Queries
from loghub.hub.store.seal import OnStep, open_part, write_rows

REPLACING = ("written", "synced", "renamed", "named", "attached", "ended")
"""The steps of `replace`; `on_step` is told each with "replacement " before it."""

REMOVING = ("unlinked", "removed")
"""The steps of `remove`."""


class Shelf:
    """The sealed files.

    Args:
        engine: to which they are attached.
        folder: where they are.
        parts: the set of parts.
        queries: gives cursors that end when the store does.
        on_step: called with the name of each step.
        leftovers: files that are needless and still have a name.
    """

    def __init__(
        self,
        engine: Cursor,
        folder: Path,
        parts: Parts,
        queries: Queries,
        on_step: OnStep,
        leftovers: Sequence[Path] = (),
    ) -> None:
        self._engine, self._folder = engine, folder
        self._parts, self._queries, self._on_step = parts, queries, on_step
        self._leftovers = list(leftovers)

    def replace(self, olds: Sequence[Part], select: str, values: Sequence[object]) -> Part:
        """Put a file with other rows in the place of parts that lie side by side.

        Raises:
            OSError: the disk refused; readers see the old parts, or the new one.
            duckdb.Error: the engine did; so does it for a full disk.
        """
        self.sweep()
        path = self._folder / str(PartName.instead_of(map(_name, olds)))
        self._leftovers = [path]  # it is one until it is read
        part = self._write(path, select, values)
        self._parts.change(add=[part], remove=olds)
        self._leftovers = [old.path for old in olds if old.path]
        self._on_step("replacement attached")
        self.sweep()
        self._on_step("replacement ended")
        return part

    def _write(self, path: Path, select: str, values: Sequence[object]) -> Part:
        try:
            with self._queries.cursor(limited=False) as cursor:
                write_rows(cursor, select, values, path, lambda step: self._on_step(f"replacement {step}"))

            return open_part(self._engine, path)
        except BaseException:
            with suppress(OSError):
                self.sweep()

            raise

    def remove(self, part: Part) -> None:
        """End a part.

        Raises:
            OSError: the disk refused; the part is still there.
        """
        self.sweep()

        if part.path:
            part.path.unlink(missing_ok=True)
            self._on_step("unlinked")
            sync_directory(self._folder)

        self._parts.change(remove=[part])
        self._on_step("removed")

    def sweep(self) -> None:
        """End the files that are needless and still have a name.

        Raises:
            OSError: the disk refused.
        """
        if self._leftovers:
            for path in self._leftovers:
                path.unlink(missing_ok=True)

            sync_directory(self._folder)
            self._leftovers = []


def _name(part: Part) -> PartName:
    return (PartName.of(part.path) if part.path else None) or PartName(part.extent.first, part.extent.last)
