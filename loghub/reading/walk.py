"""All lines of a log, once: from the oldest file to the one that is written to.

Rules:
1. The list of files is taken anew after each file, since they are rolled over, compressed and deleted meanwhile.
   What was read is known again: by a name that lasts, by its inode, or by its first bytes.
2. A file is read to where it ends, and once more when the next one is known: what was written to it meanwhile
   comes before what stands in that one. It ends where the file that is written to ends at that moment.
   A file that was not in the first list and begins as one that was read is its copy, or its compressed form.
3. One that vanishes before it could be opened stands in the next list under another name, or retention has
   removed it.
4. What cannot be read is told with path, offset and reason, and the rest is read on.

It holds one file open, and a megabyte of it.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loghub.reading.bodies import Body, Identity
from loghub.reading.lines import Line, fragment, pieces
from loghub.reading.sets import Directory, LogFile, files_of
from loghub.reading.unpack import DamagedError


def lines_of(log: Path) -> Iterator[Line]:
    """Give the lines of a log, oldest first; one with a `fault` is not whole.

    Args:
        log: the file that is written to; where it is a single file, or a rotated one, that is read alone.

    Raises:
        FileNotFoundError: there is no such file, and nothing that was rotated from it.
        MissingExtraError: a file is compressed with zstd, and no package for that is installed.
    """
    if not files_of(log):
        raise FileNotFoundError(errno.ENOENT, "there is no such log", str(log))

    return _walk(_Walk(log))


def _walk(walk: "_Walk") -> Iterator[Line]:
    try:
        while (file := walk.next()) is not None:
            yield from walk.leave()
            yield from walk.enter(file)

        yield from walk.leave()
    finally:
        walk.close()


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that was read, or is to be passed over."""

    identity: Identity | None
    head: bytes


class _Walk:
    """Which files were read."""

    def __init__(self, log: Path) -> None:
        self._directory = Directory(log)
        self._files: list[LogFile] = []
        self._place = 0  # in the list: all before it was read
        self._names: set[str] = set()
        self._read: list[_Read] = []
        self._first = {_known_as(file) for file in files_of(log)}
        self._open: _Open | None = None  # held until the next one is open, so that its inode is not given away

    def next(self) -> LogFile | None:
        """Give the oldest file that was not read."""
        files = self._directory.files()

        if files is not self._files:
            self._files, self._place = files, 0

        while self._place < len(files):
            file = files[self._place]

            if not (file.lasting and file.name in self._names) and not self._is_read(file):
                return file

            self._names.add(file.name)
            self._place += 1

        return None

    def enter(self, file: LogFile) -> Iterator[Line]:
        """Give a file's lines; none where it is gone or is another one by now."""
        try:
            body = Body(file.path)
        except FileNotFoundError:
            self._place = 0
            return
        except OSError as error:
            self._pass_over(file)
            yield Line(file.path, 0, 0, b"", f"the file cannot be read: {error.strerror or error}")
            return

        if not file.lasting and (self.next() != file or body.identity != (file.identity or _identity(file))):
            body.close()  # files were moved before it was opened
            return

        self._remember(file, body)
        self.close()
        self._open = _Open(body)
        yield from self._open.lines()

    def leave(self) -> Iterator[Line]:
        """Give what was written to the open file since it was read, and what it ends with."""
        if self._open is not None:
            yield from self._open.lines()
            yield from self._open.rest()

    def close(self) -> None:
        """Let go of the file that is open; idempotent."""
        if self._open is not None:
            self._open.body.close()

    def _is_read(self, file: LogFile) -> bool:
        """Tell whether a file was read under another name: as it is, or before it was copied or compressed."""
        if not self._read:
            return False

        identity = _identity(file)
        is_new = not file.is_live and _known_as(file) not in self._first
        suspects = [read for read in self._read if read.identity == identity or (is_new and read.head)]
        head = _head(file) if suspects else b""
        return any(read.head == head[: len(read.head)] for read in suspects)

    def _remember(self, file: LogFile, body: Body) -> None:
        if file.lasting:
            self._names.add(file.name)
        else:
            self._read.append(_Read(body.identity, body.head()))

    def _pass_over(self, file: LogFile) -> None:
        self._names.add(file.name)
        self._read.append(_Read(_identity(file), b""))


class _Open:
    """The file that is read now, and how far."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self._offset, self._number = 0, 1
        self._is_done = False

    def lines(self) -> Iterator[Line]:
        """Give the whole lines that were not given yet."""
        if self._is_done:
            return

        try:
            for piece in pieces(self.body, self._offset):
                number, self._number = self._number, self._number + len(piece.texts)
                self._offset = piece.end
                yield from piece.lines(self.body.path, number)
        except (DamagedError, OSError) as error:
            yield self._fault(error)

    def rest(self) -> Iterator[Line]:
        """Give what stands behind the last newline, and say where a compressed file is damaged."""
        if self._is_done:
            return

        try:
            rest = fragment(self.body, self._offset)
            self._is_done = True

            if rest is not None:
                yield from rest.lines(self.body.path, self._number)
                self.body.read(rest.end, 1)  # what is damaged says so behind what could be read
        except (DamagedError, OSError) as error:
            yield self._fault(error)

    def _fault(self, error: Exception) -> Line:
        self._is_done = True
        reason = str(error) if isinstance(error, DamagedError) else f"the file cannot be read: {error}"
        return Line(self.body.path, self._offset, self._number, b"", reason)


def _head(file: LogFile) -> bytes:
    try:
        with Body(file.path) as body:
            return body.head()
    except OSError:
        return b""


def _identity(file: LogFile) -> Identity | None:
    status = file.status()
    return None if status is None else (status.st_dev, status.st_ino)


def _known_as(file: LogFile) -> tuple[str, Identity | None]:
    """Give what tells a file of the first list from one that came later."""
    return file.name, None if file.lasting else _identity(file)
