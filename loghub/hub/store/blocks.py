"""Rows by column: what a batch brings for the hot table, and how many batches become one insert.

Rules:
1. A block holds rows that have a value in the same columns, and in no other.
2. Blocks of many batches with the same columns become one chunk for the engine, so that small batches
   cost little more than large ones.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TypeAlias

from loghub.hub.store.arrow import Chunk, Column, Text


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a column: their UTF-8 bytes without anything between them, and the bytes of each."""

    data: bytes
    sizes: Sequence[int]


Values: TypeAlias = "Texts | array[int]"


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that have a value in the same columns.

    Attributes:
        places: the place of each row among the lines of its batch.
        times: the time of each row.
        columns: the values by column, but for the time and what says where the row stands in the store.
        keys: the keys that their attributes may have.
    """

    places: Sequence[int]
    times: "array[int]"
    columns: Mapping[str, Values]
    keys: frozenset[str]

    def edges_us(self) -> tuple[int, int]:
        """Give the times of its oldest and its newest row."""
        return min(self.times), max(self.times)


@dataclass(frozen=True, slots=True)
class Placed:
    """A block, and what its batch says of its rows.

    Attributes:
        block: the block.
        arrival: arrival number of the first line of the batch.
        source: who sent it.
        seqs: a sequence number for each line of the batch.
        received_us: when it came.
    """

    block: Block
    arrival: int
    source: str
    seqs: Sequence[int]
    received_us: int

    def columns(self) -> dict[str, Values]:
        """Give all columns."""
        places = self.block.places
        size = len(places)
        source = self.source.encode()

        return {
            "arrival": array("q", [self.arrival + place for place in places]),
            "source": Texts(source * size, [len(source)] * size),
            "seq": array("q", [self.seqs[place] for place in places]),
            "received_us": array("q", [self.received_us]) * size,
            "time_us": self.block.times,
            **self.block.columns,
        }


def to_chunks(placed: Iterable[Placed]) -> list[Chunk]:
    """Put blocks with the same columns together."""
    alike: dict[tuple[str, ...], list[dict[str, Values]]] = {}

    for one in placed:
        columns = one.columns()
        alike.setdefault(tuple(columns), []).append(columns)

    return [_chunk(blocks) for blocks in alike.values()]


def _chunk(blocks: Sequence[Mapping[str, Values]]) -> Chunk:
    columns = {name: _column([block[name] for block in blocks]) for name in blocks[0]}
    arrivals = columns["arrival"]
    return Chunk(len(arrivals) if isinstance(arrivals, array) else 0, columns)


def _column(parts: Sequence[Values]) -> Column:
    texts = [part for part in parts if isinstance(part, Texts)]

    if texts:
        sizes = chain.from_iterable(text.sizes for text in texts)
        return Text(b"".join(text.data for text in texts), array("i", accumulate(sizes, initial=0)))

    numbers = array("q")

    for part in parts:
        if isinstance(part, array):
            numbers.extend(part)

    return numbers
