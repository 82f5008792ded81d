"""A file of a log through its life: renamed, compressed, copied and truncated, its lines are counted on.

`Position` is what has to be remembered of it, so that a later process goes on where this one ended.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from loghub.reading.bodies import HEAD, Body, Identity
from loghub.reading.lines import Piece, end_of_last_line, fragment, lines_before, pieces
from loghub.reading.unpack import DamagedError
from loghub.wire.batch import source_id

_T = TypeVar("_T")

_TAIL = 64


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file was read.

    Attributes:
        source: the name of its life, 24 hex digits: lines are named by it and their number.
        device: where the file was.
        inode: the same.
        size: its bytes on the disk when all of it had been read; -1 where it had not.
        head: its first bytes.
        tail: the bytes before `offset`.
        offset: bytes read, of whole lines.
        lines: their number.
    """

    source: str
    device: int
    inode: int
    size: int
    head: bytes
    tail: bytes
    offset: int
    lines: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines of one file that were read together.

    Attributes:
        path: the file.
        first: number of the first line, from 1.
        piece: the lines.
        before: the position before them.
        after: the position behind them.
    """

    path: Path
    first: int
    piece: Piece
    before: Position
    after: Position


class Life:
    """One file of a log that is followed.

    Args:
        position: how far it was read.

    Attributes:
        source: the name of its life.
        identity: device and inode of its file; None where another one has taken its place.
        path: where it was seen last; None where it was not found.
        missing_since: when it was missed; None where it is there.
        changed_at: when it was last written to.
        is_due: whether there may be something to read in a file that is not open.
        is_packed: whether its file was found to be compressed.
    """

    def __init__(self, position: Position) -> None:
        self.source = position.source
        self.identity: Identity | None = (position.device, position.inode)
        self.path: Path | None = None
        self.missing_since: float | None = None
        self.changed_at = 0.0
        self.is_due = self.is_packed = False
        self._size, self._packed_size = position.size, -1
        self._head, self._tail = position.head, position.tail
        self._offset, self._lines = position.offset, position.lines
        self._body: Body | None = None

    @classmethod
    def born(cls, body: Body) -> "Life":
        """Begin to follow a file that was not known."""
        source = source_id(time.time_ns() // 1_000_000, os.urandom(6))
        life = cls(Position(source, *body.identity, -1, body.head(), b"", 0, 0))
        life.path, life.is_due = body.path, True
        return life

    @property
    def is_open(self) -> bool:
        """Whether its file is held open."""
        return self._body is not None

    @property
    def position(self) -> Position:
        """How far it was read."""
        device, inode = self.identity or (0, 0)
        return Position(self.source, device, inode, self._size, self._head, self._tail, self._offset, self._lines)

    def begins(self, head: bytes) -> bool:
        """Tell whether a file with these first bytes may be this one."""
        return bool(self._head) and head[: len(self._head)] == self._head

    def may_begin(self, head: bytes) -> bool:
        """Tell whether a file with these first bytes, and no more, may be a copy of this one under way."""
        return self._head.startswith(head)

    def is_same(self, body: Body) -> bool:
        """Tell whether an open file is this one, with all that was read of it."""
        if not body.head().startswith(self._head):
            return False

        # To compare the end too, a compressed file would have to be decompressed up to there.
        return body.is_packed or body.read(self._offset - len(self._tail), len(self._tail)) == self._tail

    def is_in_place(self) -> bool:
        """Tell whether the file that is held open was neither truncated nor written anew."""
        return self._body is None or self.is_same(self._body)

    def is_all_read(self, size: int) -> bool:
        """Tell whether all of a file of this size was read."""
        return self._size == size

    def open(self) -> bool:
        """Open its file; False where another one is there by now, or none.

        Raises:
            OSError: it cannot be read.
            MissingExtraError: it is zstd, and no package for that is installed.
        """
        self.is_due = False

        try:
            body = Body(self.path or Path())
        except FileNotFoundError:
            return False

        if body.identity != self.identity:
            body.close()
            return False

        self._body = body
        self.is_packed = body.is_packed
        return True

    def move_to(self, body: Body) -> None:
        """Go on in another file with the same lines: a compressed form, or the copy made before it was truncated."""
        self.identity, self.path = body.identity, body.path

        if body.is_packed and self._body is not None:
            self._packed_size = body.size  # the open file has the same lines, and need not be decompressed
        else:
            self.rest()
            self.is_due, self._size = True, -1

    def give_place(self) -> None:
        """Let another file have the identity: this one was truncated, or its inode was given away."""
        self.rest()
        self.identity, self.path, self.is_due = None, None, False

    def rest(self) -> None:
        """Let go of the open file."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def skip_to_end(self) -> None:
        """Pass over the whole lines that are there."""
        if self._body is not None and not self._body.is_packed:
            self._offset = end_of_last_line(self._body, self._body.size)
            self._note_ends(self._body)

        self._settle()

    def last(self, number: int, accept: Callable[[bytes], _T | None], *, with_fragment: bool) -> list[tuple[bytes, _T]]:
        """Give the last lines before the position that are accepted, oldest first; see `Follower.last`."""
        body = self._body
        found: deque[tuple[bytes, _T]] = deque(maxlen=number)

        if body is None or not number:
            return []

        if body.is_packed:  # it can be read forward only
            with suppress(DamagedError):
                for piece in pieces(body, 0):
                    found.extend((text, said) for text in piece.texts if (said := accept(text)) is not None)

            return list(found)

        rest = fragment(body, self._offset) if with_fragment else None
        texts = chain(rest.texts if rest is not None else (), lines_before(body, self._offset))

        for text in texts:
            if (said := accept(text)) is not None:
                found.appendleft((text, said))

                if len(found) == number:
                    break

        return list(found)

    def chunks(self) -> Iterator[Chunk]:
        """Give the whole lines that are new."""
        if self._body is None:
            return

        with suppress(DamagedError):  # as far as it goes
            for piece in pieces(self._body, self._offset):
                yield self._chunk(self._body, piece)

        self._settle()

    def last_words(self) -> Iterator[Chunk]:
        """Give what stands behind the last newline, of a file that is not written to any more."""
        if self._body is None:
            return

        with suppress(DamagedError):
            piece = fragment(self._body, self._offset)

            if piece is not None:
                yield self._chunk(self._body, piece)

        self._settle()

    def _chunk(self, body: Body, piece: Piece) -> Chunk:
        before, first = self.position, self._lines + 1
        self._offset = piece.end
        self._lines += len(piece.texts)
        self._note_ends(body)
        return Chunk(self.path or body.path, first, piece, before, self.position)

    def _note_ends(self, body: Body) -> None:
        """Take note of the bytes by which the file is known again."""
        if not body.is_packed:
            start = max(0, self._offset - _TAIL)
            self._tail = body.read(start, self._offset - start)

        else:
            self._tail = b""

        if len(self._head) < HEAD:
            self._head = body.head() if not body.is_packed else self._head

    def _settle(self) -> None:
        """Note whether all that is there was read."""
        if self._body is not None:
            size = self._body.size
            is_all = self._body.is_packed or size == self._offset
            self._size = (size if self._packed_size < 0 else self._packed_size) if is_all else -1
