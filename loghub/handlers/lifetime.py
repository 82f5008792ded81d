"""Engines by key, and what happens to them when the process forks and when it ends.

Rules:
1. An engine is kept by its key for the life of the process, so that a new configuration finds it again.
2. The exit hook runs before logging.shutdown (it is registered after logging's own) and after all threads that
   are no daemons. All engines share one deadline's time: each is told first, then each is waited for.
3. The child of a fork starts anew. It arms its exit at its first line: multiprocessing's children run no atexit
   hooks on Python 3.12, and on 3.13 those that a fork hook registers are wiped; their finalizers run on each.
"""

import atexit
import os
import sys
from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar

from loghub.handlers.diagnostics import write


class Lasting(Protocol):
    """What outlives handlers."""

    def begin_exit(self) -> None:
        """Start to deliver what is left; waits for nothing."""

    def finish_exit(self) -> bool:
        """Wait for it, to the deadline, and say what is left; tell whether that is nothing."""

    def after_fork(self) -> None:
        """Start anew in the child."""


_L = TypeVar("_L", bound=Lasting)
_kept: dict[Hashable, Lasting] = {}
_state = {"armed": False, "forked": False}


def keep(key: Hashable, make: Callable[[], _L]) -> _L:
    """Give what is kept under a key; make it if it is new."""
    found = _kept.get(key)

    if found is None:
        found = _kept.setdefault(key, make())

    return found  # type: ignore[return-value]  # the key names the type


def arm_exit() -> None:
    """See to it that this process ends with `at_exit`; done once in each process."""
    if _state["armed"]:
        return

    _state["armed"] = True

    if _state["forked"]:
        atexit.unregister(at_exit)
        atexit.register(at_exit)

    process = sys.modules.get("multiprocessing.process")

    if process is not None and process.parent_process() is not None:
        from multiprocessing.util import Finalize  # noqa: PLC0415 (only where multiprocessing is in use)

        Finalize(None, at_exit, exitpriority=-100)


def at_exit() -> None:
    """Deliver what is left; running it twice does no harm."""
    for lasting in tuple(_kept.values()):
        _try(lasting.begin_exit)

    for lasting in tuple(_kept.values()):
        _try(lasting.finish_exit)


def _try(step: Callable[[], object]) -> None:
    """Do what one needs, so that a mistake of ours there takes nothing from the others."""
    try:
        step()
    except Exception as error:  # noqa: BLE001
        write("exit", f"{type(error).__name__}: {error}")


def _after_fork_in_child() -> None:
    _state.update(armed=False, forked=True)

    for lasting in tuple(_kept.values()):
        lasting.after_fork()


atexit.register(at_exit)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
