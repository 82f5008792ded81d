"""Bytes of a log file → lines, each with its place.

Rules:
1. A line ends with a newline. What stands behind the last one is a fragment: its end may still come.
2. A line is taken again from the bytes at any time: cutting has no memory, so it gives the same after a restart.
3. A line over `MAX_LINE` bytes is cut there, and says so: one file without a newline must not fill the memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

MAX_LINE = 16 * 2**20
_CHUNK = 2**20
_BLOCK = 2**16


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file.

    Attributes:
        path: the file, under the name that it had when it was read.
        offset: where it begins, in bytes of the file when it is not compressed.
        number: its number in the file, from 1; 0 where that is not known.
        text: its bytes, without the newline.
        fault: why it is not whole; "" where it is.
    """

    path: Path
    offset: int
    number: int
    text: bytes
    fault: str = ""


class Source(Protocol):
    """Where bytes come from."""

    def read(self, offset: int, size: int) -> bytes:
        """Give up to `size` bytes; fewer only where the file ends."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines that stand behind one another.

    Attributes:
        texts: their bytes, without the newlines.
        offset: where the first one begins.
        end: the byte behind the last one's newline.
        fault: why the only line is not whole.
    """

    texts: tuple[bytes, ...]
    offset: int
    end: int
    fault: str = ""

    def lines(self, path: Path, first: int) -> Iterator[Line]:
        """Give them one by one; `first` is the number of the first one."""
        offset = self.offset

        for number, text in enumerate(self.texts, first):
            yield Line(path, offset, number, text, self.fault)
            offset += len(text) + 1


def pieces(source: Source, offset: int) -> Iterator[Piece]:
    """Give the whole lines that stand behind `offset`, a megabyte at a time; a fragment at the end is left."""
    size = _CHUNK

    while data := source.read(offset, size):
        end = data.rfind(b"\n") + 1

        if end:
            yield Piece(tuple(data[: end - 1].split(b"\n")), offset, offset + end)
            offset, size = offset + end, _CHUNK

        elif len(data) < size:
            return

        elif size < MAX_LINE:
            size = min(2 * size, MAX_LINE)

        elif (end := _end_of_line(source, offset + size)) >= 0:
            yield Piece((data,), offset, end, f"{end - offset - 1} bytes in one line: at most {MAX_LINE}")
            offset, size = end, _CHUNK

        else:
            return


def fragment(source: Source, offset: int) -> Piece | None:
    """Give what stands behind the last newline, cut where it is too long; None where there is nothing."""
    data = source.read(offset, MAX_LINE)
    return Piece((data,), offset, offset + len(data), "the line has no end") if data else None


def end_of_last_line(source: Source, size: int) -> int:
    """Find the byte behind the last newline of a file of this size; 0 where there is none."""
    while size > 0:
        start = max(0, size - _BLOCK)
        place = source.read(start, size - start).rfind(b"\n")

        if place >= 0:
            return start + place + 1

        size = start

    return 0


def lines_before(source: Source, end: int) -> Iterator[bytes]:
    """Give the lines that stand before a place behind a newline, the last one first."""
    rest = b""

    while end > 0:
        start = max(0, end - _BLOCK)
        texts = (source.read(start, end - start) + rest).split(b"\n")
        rest = texts[0] if start else b""
        yield from reversed(texts[1:-1] if start else texts[:-1])
        rest, end = (rest + b"\n" if start else b""), start


def _end_of_line(source: Source, offset: int) -> int:
    """Find the byte behind the next newline; -1 where there is none."""
    while data := source.read(offset, _CHUNK):
        place = data.find(b"\n")

        if place >= 0:
            return offset + place + 1

        offset += len(data)

    return -1
