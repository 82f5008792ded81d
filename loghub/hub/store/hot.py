"""A hot part: rows in memory, and the log file that has the same rows on the disk."""

from collections.abc import Sequence
from pathlib import Path

from loghub.hub.store.columns import to_row
from loghub.hub.store.durable import GrowingFile, sync_directory
from loghub.hub.store.engine import Cursor, HotTable
from loghub.hub.store.partitions import Extent, Part
from loghub.hub.store.protocol import Incoming, StoredEvent
from loghub.hub.store.wal import append_batches


class Hot:
    """A table in memory and its log file.

    Attributes:
        part: what readers see of it.
        sealed: the part that took its place, once there is one.
        log: its log file.
    """

    def __init__(self, engine: Cursor, folder: Path, first: int) -> None:
        self.log = GrowingFile(folder / f"{first:016d}.ndjson")

        try:
            self._table = HotTable(engine, f"hot_{first}")
        except BaseException:
            self.log.close()

            if not self.log.size:
                self.log.path.unlink()

            raise

        self.part = Part(self._table.name, Extent(first, first - 1), self._table.drop)
        self.sealed: Part | None = None
        self._begun_us: int | None = None

    @property
    def count(self) -> int:
        """Rows in it."""
        return self.part.extent.count

    def age_us(self, now_us: int) -> int:
        """Give the time since its first row came; 0 while it has none."""
        return now_us - self._begun_us if self._begun_us is not None else 0

    def append(self, batches: Sequence[Incoming], events: Sequence[StoredEvent], arrival: int) -> None:
        """Put batches into the log, then their events into the table.

        Args:
            batches: trimmed batches.
            events: their events, numbered from `arrival` on.
            arrival: number of the first of them.

        Raises:
            OSError: the disk refused; nothing is kept.
        """
        before = self.log.size
        append_batches(self.log, batches, arrival)

        try:
            self.add(events)
        except BaseException:
            self.log.take_back(before)
            raise

    def add(self, events: Sequence[StoredEvent]) -> None:
        """Put events that are in the log into the table."""
        if not events:
            return

        self._table.add([to_row(stored) for stored in events])
        self.part.extent = self.part.extent.grown(events)

        if self._begun_us is None:
            self._begun_us = events[0].received_us

    def close(self) -> None:
        """Let go of table and log; idempotent."""
        self._table.close()
        self.log.close()

    def drop_log(self) -> None:
        """Remove the log file, whose rows are sealed; idempotent."""
        self.log.close()
        self.log.path.unlink(missing_ok=True)
        sync_directory(self.log.path.parent)
