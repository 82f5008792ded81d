"""A segment: one file of frames, allocated in full before it is mapped.

A file that is mapped but not allocated kills the process with SIGBUS when the disk is full; an allocated one
cannot. Where a file system cannot map, `os.pwrite` serves, behind the same brackets.
"""

import errno
import mmap
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from loghub.handlers.spool.frames import HEADER, MAGIC, TRAILER, Damage, scan, unpack_head

_ZEROS = bytes(64 * 1024)
_AT_ONCE = 256  # blocks of zeros; IOV_MAX is 1024 at most


def sync(descriptor: int) -> None:
    """Bring a file to the disk.

    Raises:
        OSError: the disk does not take it.
    """
    getattr(os, "fdatasync", os.fsync)(descriptor)  # macOS has the latter only


class Segment:
    """The frames from one sequence number on.

    Attributes:
        path: its file.
        first: number of its first frame, or of the one that will be.
        last: number of its last frame; one less than the first where it is empty.
        size: bytes on the disk.
        end: bytes that are written.
        gaps: numbers between first and last that have no frame.
        holes: where damage starts, and where frames go on.
    """

    __slots__ = ("_data", "end", "first", "gaps", "holes", "last", "path", "size")

    def __init__(self, path: Path, first: int, size: int, data: "Store | None" = None) -> None:
        self.path = path
        self.first = first
        self.last = first - 1
        self.size = size
        self.end = 0
        self.gaps = 0
        self.holes: dict[int, int] = {}
        self._data = data

    @property
    def records(self) -> int:
        """How many frames it has."""
        return self.last - self.first + 1 - self.gaps

    def open(self) -> "Store":
        """Give its bytes.

        Raises:
            OSError: it cannot be read.
        """
        if self._data is None:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)

            try:
                self._data = _store(descriptor, os.fstat(descriptor).st_size, writable=False)
            finally:
                os.close(descriptor)

        return self._data

    def close(self) -> None:
        """Let go of the map, not of the file: pages that are mapped count as the process's memory."""
        data, self._data = self._data, None

        if data is not None:
            with suppress(OSError, BufferError):
                data.close()

    def sync(self) -> None:
        """Bring it to the disk; by `fdatasync`, which writes mapped pages too: `mmap.flush` holds the GIL meanwhile.

        Raises:
            OSError: the disk does not take it.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)

        try:
            sync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, path: Path, first: int) -> bool:
        """Give an empty one its name and its first number; where that fails it is gone."""
        try:
            self.path.rename(path)
        except OSError:
            self.unlink()
            return False

        self.path, self.first, self.last = path, first, first - 1
        return True

    def trim(self) -> None:
        """Give back what is not written; nothing may be written any more."""
        self.close()

        with suppress(OSError):
            os.truncate(self.path, self.end)
            self.size = self.end

    def unlink(self) -> None:
        """Delete it; its room is free then, on a full disk too."""
        self.close()

        with suppress(OSError):
            self.path.unlink()


class Plain:
    """A file where there can be no map; the brackets of one."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = os.dup(descriptor)
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, where: slice) -> bytes:
        start, stop, _ = where.indices(self._size)
        return os.pread(self._descriptor, stop - start, start)

    def __setitem__(self, where: slice, data: bytes) -> None:
        if os.pwrite(self._descriptor, data, where.start) < len(data):
            raise OSError("short write")

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


Store = mmap.mmap | Plain


def sync_folder(folder: Path) -> None:
    """Bring the names in a directory to the disk.

    Raises:
        OSError: the disk does not take them.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)

    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def path_of(folder: Path, first: int) -> Path:
    """Give a segment's file; names sort by number."""
    return folder / f"seg-{first:016x}"


def create(path: Path, first: int, size: int) -> tuple[Segment, Store]:
    """Make a segment that can be written, all of its bytes allocated.

    Raises:
        OSError: no room, or the disk cannot be written; nothing is left behind.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    try:
        _allocate(descriptor, size)
        data = _store(descriptor, size, writable=True)
    except OSError:
        with suppress(OSError):
            path.unlink()

        raise
    finally:
        os.close(descriptor)

    return Segment(path, first, size, data), data


def recover(path: Path, settled: int) -> tuple[Segment, list[Damage]]:
    """Read a segment of a process that is dead: all of its frames are checked.

    Args:
        path: its file.
        settled: frames up to this number have no business any more, and are not counted.

    Raises:
        OSError: it cannot be read.
    """
    segment = Segment(path, settled + 1, path.stat().st_size)
    damaged: list[Damage] = []

    if not segment.size:
        return segment, damaged

    found: list[int] = []

    for part in scan(segment.open()):
        segment.end = part.end

        if isinstance(part, Damage):
            segment.holes[part.at] = part.end
            damaged.append(part)
        elif part.seq > settled:
            found.append(part.seq)

    if found:
        segment.first, segment.last = found[0], found[-1]
        segment.gaps = found[-1] - found[0] + 1 - len(found)

    segment.close()

    # What was allocated and is not written would count against the cap for as long as the rest is not sent.
    with suppress(OSError):
        os.truncate(path, segment.end)
        segment.size = segment.end

    return segment, damaged


def gather(segment: Segment, place: int, settled: int, records: int, size: int) -> tuple[int, int, list[bytes]]:
    """Read the lines of frames that follow each other, without a gap in their numbers.

    Args:
        segment: what they are read from.
        place: where to begin.
        settled: frames up to this number are passed over.
        records: how many lines, at most.
        size: how many bytes, at most, but one line in any case.

    Returns:
        Where to go on, the number of the first line, and the lines.

    Raises:
        OSError: it cannot be read, or there is no frame where one was written.
    """
    data, end, holes = segment.open(), segment.end, segment.holes
    lines: list[bytes] = []
    first = 0

    while place < end and len(lines) < records:
        if place in holes:
            place = holes[place]
            continue

        magic, _, _, length, seq, _ = unpack_head(data[place : place + HEADER])
        behind = place + HEADER + length + TRAILER

        if magic != MAGIC or behind > end:
            raise OSError(errno.EIO, "no frame where one was written")

        if seq > settled:
            size -= length

            if lines and (size < 0 or seq != first + len(lines)):
                break

            first = first or seq
            lines.append(data[place + HEADER : behind - TRAILER])

        place = behind

    return place, first, lines


def time_after(segment: Segment, place: int, settled: int) -> int | None:
    """Give when the first frame beyond a number was written, in unix nanoseconds; None where there is none.

    It maps nothing, so that any thread may ask while another one lets go of the map.
    """
    descriptor = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)

    try:
        while len(head := os.pread(descriptor, HEADER, place := segment.holes.get(place, place))) == HEADER:
            magic, _, _, length, seq, time_ns = unpack_head(head)

            if magic != MAGIC or seq > settled:
                return time_ns if magic == MAGIC else None

            place += HEADER + length + TRAILER

        return None
    finally:
        os.close(descriptor)


def is_older(segment: Segment, time_ns: int) -> bool:
    """Tell whether all records of a segment were written before a time; no where nobody can tell."""
    try:
        first = time_after(segment, 0, 0)  # of most segments one look is enough: the last record is far to seek

        if first is not None and first >= time_ns:
            return False

        return (time_after(segment, 0, segment.last - 1) or segment.path.stat().st_mtime_ns) < time_ns
    except FileNotFoundError:  # whoever drops it finds that out
        return True
    except OSError:
        return False


def ends_in_zeros(path: Path) -> bool:
    """Tell whether the end of a segment was never written.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - HEADER, 0))
        end = file.read(HEADER)

    return bool(end) and not any(end)


def paths(folder: Path) -> Iterator[Path]:
    """Give the files of an incarnation's segments, oldest first."""
    yield from sorted(path for path in folder.glob("seg-*") if path.is_file())


def _allocate(descriptor: int, size: int) -> None:
    """Take the room, then write zeros: a page that is only allocated costs the call that first touches it some µs."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)

    for at in range(0, size, _AT_ONCE * len(_ZEROS)):
        _write_zeros(descriptor, at, min(_AT_ONCE * len(_ZEROS), size - at))


def _write_zeros(descriptor: int, at: int, size: int) -> None:
    """Write zeros in one call: each lets go of the GIL, and waits for it again."""
    blocks = [_ZEROS] * (size // len(_ZEROS)) + [_ZEROS[: size % len(_ZEROS)]]

    if os.pwritev(descriptor, blocks, at) < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _store(descriptor: int, size: int, *, writable: bool) -> Store:
    if not size:
        return Plain(descriptor, size)

    try:
        return mmap.mmap(descriptor, size, access=mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ)
    except (OSError, ValueError):
        return Plain(descriptor, size)
