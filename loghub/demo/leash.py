"""`python -m loghub.demo.leash MODULE ARGUMENT…`: run a module as a process that never outlives its parent.

The parent holds the other end of our standard input and writes nothing to it. The end of that
input is the sign to leave: the parent closed it, or died, in whatever way (its files are closed
even by `kill -9`). This works on every platform and asks nothing of the module that runs.

1. The sign becomes a SIGTERM to ourselves, so that a server ends as it would anywhere.
2. SIGTERM unwinds as `sys.exit` does: exit hooks run, and with them the flush of the handlers.
   uvicorn puts this handler back and raises the signal again once it has shut down.
3. Whoever has not left after `_PATIENCE` seconds is ended by force; after `_BRIEF` where the parent
   died, since then the hub ends as well and nobody is left to deliver anything to.

The thread that waits for the sign is the one thread outside the handlers: reading a pipe
without a loop of its own blocks.
"""

import os
import runpy
import signal
import sys
import threading
import time
from types import FrameType

_PATIENCE = 15.0
_BRIEF = 2.0


def main() -> None:
    """Run the module named by the first argument, with the others as its own."""
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_wait_for_the_end, name="leash", daemon=True).start()
    module, sys.argv = sys.argv[1], sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _wait_for_the_end() -> None:
    parent = os.getppid()

    # os.read, not sys.stdin: a daemon thread inside a buffered reader would hold its lock at exit.
    while os.read(0, 1024):
        pass

    signal.raise_signal(signal.SIGTERM) if sys.platform == "win32" else os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_BRIEF)

    if os.getppid() == parent:
        time.sleep(_PATIENCE - _BRIEF)

    os._exit(1)


if __name__ == "__main__":
    main()
