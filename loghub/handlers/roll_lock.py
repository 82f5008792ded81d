"""A lock between the processes that write one log: who rolls it over holds it.

It is opened by the process that takes it: a descriptor inherited over a fork would share its lock
with the parent. It is never waited for: who does not get it goes on writing, since another process
is rolling over at this moment. The kernel frees it when its holder dies.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class RollLock:
    """The lock of one log, as a context: its value says whether this process has got it."""

    def __init__(self, log: Path) -> None:
        self._path = log.with_name(f".{log.name}.lock")
        self._descriptor = -1

    def __enter__(self) -> bool:
        if sys.platform == "win32":  # an open file cannot be renamed there: one process, one file
            return True

        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)

        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False

        return True

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            with suppress(OSError):
                os.close(self._descriptor)
