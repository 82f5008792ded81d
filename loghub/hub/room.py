"""Room for the bodies of requests: a bounded number of bytes that all of them share."""

import threading
from types import TracebackType
from typing import Self

from loghub.errors import LoghubError


class NoRoomError(LoghubError):
    """There is no room left; there will be again."""


class Room:
    """A number of bytes that requests share.

    Args:
        size: how many there are.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Take bytes; False where there are not enough."""
        with self._lock:
            if size > self._free:
                return False

            self._free -= size
            return True

    def give(self, size: int) -> None:
        """Give bytes back."""
        with self._lock:
            self._free += size


class Share:
    """What one request takes of the room; given back at the end of its `with` block."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._room.give(self._size)
        self._size = 0

    def grow(self, size: int) -> None:
        """Take more.

        Raises:
            NoRoomError: there is not enough.
        """
        if not self._room.take(size):
            raise NoRoomError

        self._size += size
