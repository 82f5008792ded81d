"""A lock between the processes that write one log: who rolls it over holds it.

It is opened by the process that takes it: a descriptor inherited over a fork would share its lock
with the parent. It is never waited for: who does not get it goes on writing, since another process
is rolling over at this moment. The kernel frees it when its holder dies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loghub.handlers.hold import NoLocksError, alone


@contextmanager
def roll_lock(log: Path) -> Iterator[bool]:
    """Take the lock of a log; the value says whether this process has got it."""
    try:
        with alone(log.with_name(f".{log.name}.lock"), create=0o666) as descriptor:
            yield descriptor is not None
    except NoLocksError:
        yield True
