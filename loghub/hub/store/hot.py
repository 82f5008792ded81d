"""A hot part: rows in memory, and the log file that has the same rows on the disk.

Rules:
1. A batch that is in the log waits, in memory, until there are enough rows to insert at once: an insert of a few
   costs many times as much a row. Whoever reads the table settles first what waits for it.
2. What waits is bounded by rows, by bytes and by time, so that a reader never waits for long. Where there are readers,
   the time is short: what they would have to insert before they can read, whoever appends has inserted.
3. Where the engine refuses, it waits on, and nothing more is taken.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb

from loghub.errors import StoreError
from loghub.event.model import TAIL_KEYS
from loghub.hub.store.blocks import Placed, to_chunk
from loghub.hub.store.columns import to_row
from loghub.hub.store.durable import GrowingFile, sync_directory
from loghub.hub.store.engine import Cursor, HotTable, Row
from loghub.hub.store.partitions import Extent, Part, pile_of
from loghub.hub.store.piles import add
from loghub.hub.store.protocol import Incoming
from loghub.hub.store.shape import UNKNOWN, Shape
from loghub.hub.store.wal import append_batches

_logger = logging.getLogger(__name__)

_MOST_ROWS = 20_000  # a row takes less than 2 µs in inserts of so many
_MOST_BYTES = 16_000_000
_MOST_SECONDS = 0.5
_READ_SECONDS = 0.02  # the same while there are readers; an insert takes some milliseconds, however small it is
_READ_FOR = 5.0  # seconds for which a read counts
_MOST_KEYS = 1_000  # of more, it is not known which keys rows have


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

        self.part = Part(
            self._table.name,
            Extent(first, first - 1),
            self._table.drop,
            shape=Shape(complete=True),
            settle=self._settle_to_read,
        )
        self.sealed: Part | None = None
        self._begun_us: int | None = None
        self._waiting: list[tuple[Incoming, int]] = []
        self._waiting_since = 0.0
        self._read_at = self._inserted_at = float("-inf")
        self._keys: set[str] = set()
        self._is_closed = False
        self._rows = self._bytes = 0
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """Rows in it."""
        return self.part.extent.count

    def age_us(self, now_us: int) -> int:
        """Give the time since its first row came; 0 while it has none."""
        return now_us - self._begun_us if self._begun_us is not None else 0

    def append(self, batches: Sequence[Incoming], arrival: int) -> None:
        """Put batches into the log, and their rows where the next reader has them.

        Args:
            batches: trimmed batches.
            arrival: number of their first line.

        Raises:
            OSError: the disk refused; nothing is kept.
            duckdb.Error: the engine refused what waits already; nothing is kept.
        """
        if self.is_due():
            self.settle()

        append_batches(self.log, batches, arrival)
        self.add(batches, arrival)

        if self._is_read():
            with suppress(duckdb.Error):  # they are stored, and wait on
                self.settle()

    def add(self, batches: Sequence[Incoming], arrival: int) -> None:
        """Take batches that are in the log."""
        for batch in batches:
            self._take(batch, arrival)
            arrival += len(batch.lines)

    def _take(self, batch: Incoming, arrival: int) -> None:
        if not batch.lines:
            return

        with self._lock:
            if not self._waiting:
                self._waiting_since = time.monotonic()

            self._waiting.append((batch, arrival))
            self._rows += len(batch.lines)
            self._bytes += sum(map(len, batch.lines))
            self.part.extent = self.part.extent.grown(batch, arrival)
            self._learn_keys(batch)

        if self._begun_us is None:
            self._begun_us = batch.received_us

    def _learn_keys(self, batch: Incoming) -> None:
        """Note which keys the attributes of its rows may have; a few too many do no harm."""
        keys = [block.keys for block in batch.blocks]
        keys += [
            frozenset((*batch.events[place].fields, *TAIL_KEYS)) for place in batch.unblocked
        ]  # writing adds these

        if len(self._keys) > _MOST_KEYS or all(map(self._keys.issuperset, keys)):
            return

        self._keys.update(*keys)
        is_known = len(self._keys) <= _MOST_KEYS
        self.part.shape = Shape(dict.fromkeys(self._keys), complete=True) if is_known else UNKNOWN

    def is_due(self) -> bool:
        """Tell whether enough waits to be put into the table."""
        return bool(self._waiting) and (
            self._rows >= _MOST_ROWS
            or self._bytes >= _MOST_BYTES
            or time.monotonic() - self._waiting_since >= _MOST_SECONDS
        )

    def _is_read(self) -> bool:
        """Tell whether a reader is likely to come soon, and some time has gone since the last insert."""
        now = time.monotonic()
        return now - self._read_at < _READ_FOR and now - self._inserted_at >= _READ_SECONDS

    def _settle_to_read(self) -> None:
        self._read_at = time.monotonic()
        self.settle()

    def settle(self) -> None:
        """Put what waits into the table: the next read has to see it.

        Raises:
            duckdb.Error: the engine refused; it waits on.
            StoreError: the store was closed meanwhile.
        """
        with self._lock:
            if not self._waiting:
                return

            if self._is_closed:
                raise StoreError("the store was closed while the query ran")

            self._insert()
            add(self.part.piles, (pile_of(batch) for batch, _ in self._waiting))
            self._waiting.clear()
            self._inserted_at = time.monotonic()
            self._rows = self._bytes = 0

    def _insert(self) -> None:
        rows = self._rows_of(lambda batch: batch.unblocked)
        placed = [
            Placed(block, arrival, batch.source, batch.seqs, batch.received_us)
            for batch, arrival in self._waiting
            for block in batch.blocks
        ]

        try:
            self._table.add(rows, to_chunk(placed) if placed else None)
        except (duckdb.DataError, duckdb.ProgrammingError) as error:
            # What was acknowledged must never be what nobody can read, and everything that waits behind it neither.
            _logger.warning("lines went the slow way, since the engine cannot read them: %s", error)
            self._table.add(self._rows_of(lambda batch: range(len(batch.lines))))

    def _rows_of(self, places: Callable[[Incoming], Iterable[int]]) -> list[Row]:
        return [
            to_row(batch.stored(place, arrival + place)) for batch, arrival in self._waiting for place in places(batch)
        ]

    def close(self) -> None:
        """Let go of table and log, when nobody settles any more; idempotent."""
        with self._lock:
            self._is_closed = True
            self._table.close()

        self.log.close()

    def drop_log(self) -> None:
        """Remove the log file, whose rows are sealed; idempotent."""
        self.log.close()
        self.log.path.unlink(missing_ok=True)
        sync_directory(self.log.path.parent)
