"""A store that lives through faults, beside a model of what must be in it.

A step is a call that changes a file or a name, or one that the store tells of (`on_step`). At a given step the disk
refuses, the engine does, or the process is killed: then the life goes on with a copy of the directory as it was at that
moment. Nothing runs in the background; `tidy` does once what the store's thread does.
"""

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import duckdb
import pytest
from store_batches import EVER, START_US, batch, source

from loghub.hub.store import duck, durable
from loghub.hub.store.duck import HOUR_US, DuckStore
from loghub.hub.store.keeper import Keeper
from loghub.query.parse import parse
from loghub.query.predicate import predicate
from loghub.query.tree import Everything

if TYPE_CHECKING:
    from loghub.hub.store.protocol import Incoming

Kind: TypeAlias = Literal["killed", "disk", "engine"]

CALLS: tuple[tuple[Any, str], ...] = (
    *((os, name) for name in ("fsync", "replace", "rename", "unlink", "pwrite", "ftruncate")),
    (durable, "_sync_data"),
)
DAY_US = 24 * HOUR_US


class Killed(BaseException):
    """The process has been killed."""


@dataclass(frozen=True)
class Fault:
    """What happens at a step, counted from where it is armed."""

    step: int
    kind: Kind


class IdleKeeper(Keeper):
    """A background thread that does nothing."""

    def start(self) -> None:
        """Do not begin."""

    def wake(self) -> None:
        """Do nothing."""


class Life:
    """A store, its model and its faults.

    Args:
        folder: where its directories are.

    Attributes:
        steps: how many steps there were while faults were armed.
        there: the arrival numbers of the events that must be in the store, by id.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._directories = (folder / str(number) for number in count())
        self._data = next(self._directories)
        self._clock_us = START_US
        self._left: int | None = None
        self._fault: Fault | None = None
        self._is_armed = False
        self._next = {source(1): 1, source(2): 1}
        self._acknowledged: list[Incoming] = []
        self.steps = 0
        self.there: dict[tuple[str, int], int] = {}
        patch.setattr(duck, "Keeper", IdleKeeper)

        for module, name in CALLS:
            patch.setattr(module, name, self._stepping(getattr(module, name)))

        self.store = self._open()

    def _open(self, keep_us: int = 400 * DAY_US) -> DuckStore:
        return DuckStore(self._data, seal_rows=8, keep_us=keep_us, clock_us=lambda: self._clock_us, on_step=self._told)

    def _told(self, _step: str) -> None:
        self._step("told")

    def _stepping(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            self._step("call")
            return call(*args, **kwargs)

        return step

    def _step(self, where: str) -> None:
        if not self._is_armed:
            return

        self.steps += 1

        if self._fault is None or self._left is None:
            return

        self._left -= 1

        if self._left != 0:
            return

        if self._fault.kind == "killed":
            self._is_armed = False
            self._data = next(self._directories)
            shutil.copytree(self.store._directory.root, self._data)
            raise Killed

        if self._fault.kind == "engine" and where == "told":
            raise duckdb.IOException("IO Error: Could not write file: No space left on device")

        raise OSError(errno.ENOSPC, "No space left on device")

    @contextmanager
    def _armed(self, fault: Fault | None) -> Iterator[None]:
        """Let a fault happen within; a restart follows a kill."""
        self._fault, self._left, self._is_armed = fault, fault.step if fault else None, True

        try:
            yield
        except (OSError, duckdb.Error):
            pass
        except Killed:
            self._is_armed = False
            self._restart()
        finally:
            self._is_armed = False

    def _restart(self) -> None:
        old = self.store
        old.close()

        if old._directory.root != self._data:
            shutil.rmtree(old._directory.root)

        self.store = self._open()
        again = self.store.append(self._acknowledged)
        assert [answer.accepted for answer in again] == [0] * len(again), "what was acknowledged was taken again"

    def append(self, count: int, fault: Fault | None = None) -> None:
        """Append events of two sources; what was not acknowledged is sent again, as a sender does."""
        batches = [batch(first, count, sender=name, received_us=self._clock_us) for name, first in self._next.items()]

        with self._armed(fault):
            self.store.append(batches)

        self.store.append(batches)
        self._acknowledged = batches
        self._next = {name: first + count for name, first in self._next.items()}
        sent = {(one.source, seq) for one in batches for seq in one.seqs}
        self.there |= {name: arrival for name, arrival in self._found().items() if name in sent}
        assert sent <= set(self.there)

    def tidy(self, fault: Fault | None = None) -> None:
        """Seal what is an hour old, merge what is small."""
        self._clock_us += HOUR_US

        with self._armed(fault):
            self.store._upkeep.run(threading.Event())

    def delete(self, query: str, fault: Fault | None = None) -> None:
        """Delete; where no answer came, ask again."""
        tree = parse(query)
        before = self._found()

        with self._armed(fault):
            self.store.delete(tree, EVER, now_us=START_US)

        matches = predicate(tree, now_us=START_US)
        expected = {name: arrival for name, arrival in before.items() if not matches(self._events[name])}
        assert expected.items() <= self._found().items()
        self.store.delete(tree, EVER, now_us=START_US)
        self.there = expected

    def expire(self, fault: Fault | None = None) -> None:
        """Let the sealed parts that came more than six hours ago go; then it is as long as ever again."""
        self.store.close()
        self.store = self._open(6 * HOUR_US)

        with self._armed(fault):
            self.store._upkeep.retain()

        self.store._upkeep.retain()
        found = self._found()
        assert found.items() <= self.there.items()
        self.there = found
        self.restart()

    def restart(self) -> None:
        """Close and open it."""
        self.store.close()
        self.store = self._open()

    def _found(self) -> dict[tuple[str, int], int]:
        page = self.store.search(Everything(), EVER, now_us=START_US, limit=100_000)
        self._events = {(stored.source, stored.seq): stored.event for stored in page.events}
        assert len(self._events) == len(page.events), "an event is there twice"
        return {(stored.source, stored.seq): stored.arrival for stored in page.events}

    def check(self) -> None:
        """See that each event is there once, at its place, and that nothing is damaged."""
        assert self._found() == self.there
        arrived = [(stored.source, stored.seq) for stored in self.store.after(0, 100_000)]
        assert arrived == sorted(self.there, key=self.there.__getitem__)
        assert self.store.count() == len(self.there)
        assert self.store.damaged == ()

    def end(self) -> None:
        """Let go of everything."""
        self.store.close()
        shutil.rmtree(self._folder)
