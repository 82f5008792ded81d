"""Follow a log: the lines that come, across every way in which its files are rotated.

Rules:
1. A file is known by its inode and by the bytes that were read of it. Renamed, it is read on, before the next
   file; it stays open for some seconds, since another process may still write to it.
2. A look at the directory binds each file to the life that it continues, or begins one. Files that came and were
   rolled over between two looks are read from their beginning.
3. Truncated in place (copytruncate), the life goes on in the copy, and the file begins a new one. A copy of a file
   that is still in its place is not read.
4. A compressed form continues the life of the file that it was made of.
5. A fragment is kept until its newline comes; once a newer file is there and nothing came for some seconds, it is
   a line with a fault.

Of two files that begin with the same 512 bytes, one may be taken for a copy of the other. What is deleted
before it was read, between two looks, cannot be read. It holds few files open, and a megabyte of lines.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from loghub.errors import MissingExtraError
from loghub.reading.bodies import HEAD, Body
from loghub.reading.lives import Chunk, Life, Position
from loghub.reading.sets import Directory, LogFile

_T = TypeVar("_T")

_HELD = 32
_STILL_SECONDS = 5.0  # a process that writes looks for a roll once a second
_LOOK_SECONDS = 2.0  # a file that was not touched for long may be written to again
_TRIES = 5
_COPY_SECONDS = 2.0
_FORGET_SECONDS = 600.0


class Follower:
    """Follows one log.

    Args:
        log: the file that is written to; it need not exist yet.
        positions: how far its files were read before.
        tell: called with a file that cannot be read and the reason.
        clock: gives seconds that only go up.
    """

    def __init__(
        self,
        log: Path,
        positions: Iterable[Position] = (),
        *,
        tell: Callable[[Path, str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log = log
        self._lives = [Life(position) for position in positions]
        self._live: Life | None = None
        self._directory = Directory(log)
        self._seen: list[LogFile] | None = None
        self._is_first_look = True
        self._looked_at = 0.0
        self._tell = tell
        self._clock = clock

    @property
    def positions(self) -> list[Position]:
        """How far each file was read."""
        return [life.position for life in self._lives]

    def skip_to_end(self) -> None:
        """Pass over the whole lines that are there now."""
        self._look()

        for life in self._lives:
            if life.path is not None and self._open(life):
                life.skip_to_end()
                self._rest(life)

    def last(
        self, number: int, accept: Callable[[bytes], _T | None], *, with_fragment: bool = False
    ) -> list[tuple[bytes, _T]]:
        """Give the last lines before the positions that are accepted, oldest first, each with what was said of it.

        Args:
            number: how many.
            accept: reads a line; None where it is not wanted. Lines come in any order.
            with_fragment: whether what stands behind the last newline counts as a line.
        """
        found: list[tuple[bytes, _T]] = []

        for life in reversed(self._lives):
            if len(found) < number and self._reach(life):
                found = life.last(number - len(found), accept, with_fragment=with_fragment) + found
                self._rest(life)

        return found

    def poll(self) -> Iterator[Chunk]:
        """Give what is new; the chunks of a file in their order.

        A chunk counts as read when it is given: whoever cannot keep it, tries again before asking for the next.
        """
        if self._must_look():
            self._look()

        for life in list(self._lives):
            if life.is_due and not life.is_open and self._open(life) is None:
                return  # what stands in later files comes behind its lines

            if life.is_open:
                yield from self._read(life)
                self._hold_fewer()

    def close(self) -> None:
        """Let go of the files; idempotent."""
        for life in self._lives:
            life.rest()

    def _read(self, life: Life) -> Iterator[Chunk]:
        try:
            if not life.is_in_place():
                life.give_place()
                self._seen = None
                return

            for chunk in life.chunks():
                life.changed_at = self._clock()
                yield chunk

            if life is not self._live and self._clock() - life.changed_at > _STILL_SECONDS:
                yield from life.last_words()
                life.rest()
        except OSError as error:
            life.rest()
            self._report(life.path, error)

    def _open(self, life: Life) -> bool | None:
        """Open a file; None where it is to be looked for, False where it cannot be read."""
        try:
            is_there = life.open()
        except (OSError, MissingExtraError) as error:
            self._report(life.path, error)
            return False

        if not is_there:
            self._seen = None
            return None

        return True

    def _reach(self, life: Life) -> bool:
        """Open a file that may be renamed or compressed at this moment."""
        for _ in range(_TRIES):
            if life.is_open or self._open(life):
                return True

            self._look()

            if life.path is None:
                return False

        return False

    def _report(self, path: Path | None, error: Exception) -> None:
        if self._tell is not None and path is not None:
            self._tell(path, str(error))

    def _must_look(self) -> bool:
        files = self._directory.files()

        if files is not self._seen or self._clock() - self._looked_at > _LOOK_SECONDS:
            return True

        status = files[-1].status() if files else None
        known = self._live.identity if self._live is not None else None
        return status is not None and status.st_size > 0 and (status.st_dev, status.st_ino) != known

    def _look(self) -> None:
        """Bind each file to its life."""
        files = self._directory.files()
        self._seen = files

        for life in self._lives:
            life.path = None

        for file in [file for file in files if not self._recognise(file)]:
            try:
                with Body(file.path) as body:
                    if file.is_live and body.identity != file.identity:
                        self._seen = None  # rolled over since it was listed: what came in between is read first
                    else:
                        self._welcome(file, body)
            except FileNotFoundError:
                self._seen = None
            except (OSError, MissingExtraError) as error:
                self._report(file.path, error)

        places = {file.path: place for place, file in enumerate(files)}
        self._lives.sort(key=lambda life: places.get(life.path or Path(), -1))
        # Where no file has the log's own name, the newest is the one that may be written to.
        self._live = next((life for life in reversed(self._lives) if life.path is not None), None)
        self._looked_at = self._clock()
        self._is_first_look = False

        if self._live is not None and not self._live.is_open:
            self._live.is_due = not self._live.is_packed

        self._forget()

    def _recognise(self, file: LogFile) -> bool:
        """Find the life of a file by its inode; False where it has none yet."""
        status = file.status()

        if status is None:
            self._seen = None
            return True

        life = next((life for life in self._lives if life.identity == (status.st_dev, status.st_ino)), None)

        if life is None:
            return False

        if life.is_open or not life.is_all_read(status.st_size):
            if not self._is_still(life, file):
                life.give_place()
                return False

            life.is_due = not life.is_open

        life.path = file.path
        return True

    def _is_still(self, life: Life, file: LogFile) -> bool:
        """Tell whether the file behind a known inode is the one that was read."""
        if life.is_open:
            return life.is_in_place()

        try:
            with Body(file.path) as body:
                return body.identity != life.identity or life.is_same(body)
        except (OSError, MissingExtraError) as error:
            self._report(file.path, error)
            return True

    def _welcome(self, file: LogFile, body: Body) -> None:
        """Find out whose life a file with an unknown inode continues, or begin one."""
        head = body.head()

        if not head:
            return  # a later look may find something in it

        twins = [life for life in self._lives if life.begins(head) and life.is_same(body)]
        missing = [life for life in twins if life.path is None]

        if missing and (self._is_first_look or not file.is_live):
            missing[0].move_to(body)
            return

        if not file.is_live and (twins or self._may_be_under_way(file, head)):
            return  # a copy of what is in its place

        life = Life.born(body)
        life.changed_at = self._clock()
        self._lives.append(life)

    def _may_be_under_way(self, file: LogFile, head: bytes) -> bool:
        """Tell whether somebody may be copying a file at this moment; then it is looked at again."""
        status = file.status()
        is_new = status is None or time.time() - status.st_mtime < _COPY_SECONDS
        is_part = is_new and len(head) < HEAD and any(life.path and life.may_begin(head) for life in self._lives)
        self._seen = None if is_part else self._seen
        return is_part

    def _forget(self) -> None:
        """Let go of what was not found for a while."""
        now = self._clock()

        for life in self._lives:
            life.missing_since = None if life.path is not None else life.missing_since or now

        self._lives = [
            life
            for life in self._lives
            if life.is_open or life.missing_since is None or now - life.missing_since < _FORGET_SECONDS
        ]

    def _rest(self, life: Life) -> None:
        """Let go of a file whose end was passed; the one that is written to is held, unless it is compressed."""
        if life is not self._live or life.is_packed:
            life.rest()

    def _hold_fewer(self) -> None:
        held = [life for life in self._lives if life.is_open and life is not self._live]

        for life in held[:-_HELD]:
            life.rest()
