"""Lines by part, for the hot table: what a batch brings, and how many batches become one insert.

Rules:
1. A line comes as two texts of JSON: its head, with the standard keys, and its free keys; an exception is a third.
   The engine takes the heads apart.
2. Blocks of many batches become one chunk for the engine, so that small batches cost little more than large ones.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from loghub.hub.store.arrow import Chunk, Column, Text


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts: their UTF-8 bytes without anything between them, and the bytes of each."""

    data: bytes
    sizes: Sequence[int]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines in parts.

    Attributes:
        places: the place of each line in its batch.
        oldest_us: the least of their times.
        newest_us: the greatest one.
        heads: their standard keys, and what columns have of an exception.
        free: their other keys.
        exceptions: the exceptions of those that have one, by their index in the block.
        keys: the free keys that they have.
    """

    places: Sequence[int]
    oldest_us: int
    newest_us: int
    heads: Texts
    free: Texts
    exceptions: Mapping[int, bytes]
    keys: frozenset[str]

    def edges_us(self) -> tuple[int, int]:
        """Give the times of its oldest and its newest line."""
        return self.oldest_us, self.newest_us


@dataclass(frozen=True, slots=True)
class Placed:
    """A block, and what its batch says of its lines.

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


COLUMNS = {
    "arrival": "BIGINT",
    "source": "VARCHAR",
    "seq": "BIGINT",
    "received_us": "BIGINT",
    "head": "VARCHAR",
    "free": "VARCHAR",
    "exception": "VARCHAR",
}
"""What a chunk has of each line; an empty text for no exception."""


def to_chunk(placed: Sequence[Placed]) -> Chunk:
    """Put blocks together."""
    columns: dict[str, Column] = {
        "arrival": _numbers(map(_arrivals, placed)),
        "source": _text(map(_sources, placed)),
        "seq": _numbers(map(_seqs, placed)),
        "received_us": _numbers(map(_received, placed)),
        "head": _text(one.block.heads for one in placed),
        "free": _text(one.block.free for one in placed),
    }

    if any(one.block.exceptions for one in placed):
        columns["exception"] = _text(map(_exceptions, placed))

    return Chunk(sum(len(one.block.places) for one in placed), columns)


def _numbers(parts: Iterable[Iterable[int]]) -> "array[int]":
    numbers = array("q")

    for part in parts:
        numbers.extend(part)

    return numbers


def _text(parts: Iterable[Texts]) -> Text:
    texts = list(parts)
    sizes = chain.from_iterable(text.sizes for text in texts)
    return Text(b"".join([text.data for text in texts]), array("i", accumulate(sizes, initial=0)))


def _arrivals(placed: Placed) -> Iterable[int]:
    places = placed.block.places

    if isinstance(places, range):
        return range(placed.arrival + places.start, placed.arrival + places.stop)

    return [placed.arrival + place for place in places]


def _sources(placed: Placed) -> Texts:
    source, size = placed.source.encode(), len(placed.block.places)
    return Texts(source * size, [len(source)] * size)


def _seqs(placed: Placed) -> Iterable[int]:
    places = placed.block.places

    if isinstance(places, range):
        return placed.seqs[places.start : places.stop]

    return [placed.seqs[place] for place in places]


def _received(placed: Placed) -> Iterable[int]:
    return array("q", [placed.received_us]) * len(placed.block.places)


def _exceptions(placed: Placed) -> Texts:
    texts = [placed.block.exceptions.get(index, b"") for index in range(len(placed.block.places))]
    return Texts(b"".join(texts), list(map(len, texts)))
