"""Send once more what a hub refused for good: the records in a spool's `dead/`, once their cause was put right.

Rules:
1. They go under a source id of their own. Under the old one the hub would take them for what it has seen.
2. The id and the order are written down first, in `dead/replay.json`. A replay that is broken off goes on under the
   same numbers, so that what had arrived has no second effect.
3. A record is deleted from `dead/` when the hub has acknowledged it. One that is refused again stays there, and is
   struck from the list before anything later is sent: the hub would take its number for an old one afterwards.

One process replays a directory at a time. It is done in the calling thread.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loghub.handlers.delivery import Delivery, Effect, Pace
from loghub.handlers.post import Post, attempts
from loghub.handlers.spool.dead import FOLDER, DeadRecord, dead_records, purge
from loghub.wire.batch import Batch, source_id

_PLAN = "replay.json"
_RECORDS = 500
_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did.

    Attributes:
        acked: records that arrived.
        refused: records that were refused again.
        left: records that were not sent, for want of time or because something has to be put right first.
        reason: why, where some are left or were refused.
    """

    acked: int
    refused: int
    left: int
    reason: str = ""


@dataclass(slots=True)
class _Plan:
    """The id of a replay, and the names of its records in the order of their numbers; "" for one that was struck."""

    path: Path
    source: str
    names: list[str]

    def save(self) -> None:
        made = self.path.with_suffix(".new")

        with made.open("w") as file:
            json.dump({"source": self.source, "names": self.names}, file)
            file.flush()
            os.fsync(file.fileno())

        made.replace(self.path)


def replay(
    folder: Path,
    post: Post,
    wanted: Callable[[DeadRecord], bool] = lambda _: True,
    *,
    pace: Pace | None = None,
    patience: float = 60.0,
    timeout: float = 10.0,
) -> Replayed:
    """Send what lies in `dead/`.

    Args:
        folder: the spool's directory.
        post: what carries batches.
        wanted: which records; those of a replay that was broken off are sent in any case, and then only those.
        pace: how long it waits after a failure.
        patience: seconds that it may take in all.
        timeout: seconds for one request.

    Raises:
        OSError: the directory cannot be read or written.
    """
    records = {record.id: record for record in dead_records(folder)}
    plan = _plan(folder, records, wanted)
    done = _Replay(folder, post, plan, Delivery(pace), time.monotonic() + patience, timeout)

    for batch in _batches(plan, records):
        if not done.send(batch):
            break
    else:
        plan.path.unlink(missing_ok=True)

    left = sum(name in records for name in plan.names) - done.acked
    return Replayed(done.acked, done.refused, left, done.reason)


def _plan(folder: Path, records: Mapping[str, DeadRecord], wanted: Callable[[DeadRecord], bool]) -> _Plan:
    """Take up the plan of a replay that was broken off, or make one."""
    path = folder / FOLDER / _PLAN

    try:
        said = json.loads(path.read_text())
        begun = _Plan(path, str(said["source"]), [str(name) for name in said["names"]])
    except (OSError, ValueError, KeyError, TypeError):
        begun = None

    if begun is not None and any(name in records for name in begun.names):
        return begun

    names = [record.id for record in records.values() if wanted(record)]
    plan = _Plan(path, source_id(time.time_ns() // 1_000_000, os.urandom(6)), names)

    if names:
        plan.save()

    return plan


def _batches(plan: _Plan, records: Mapping[str, DeadRecord]) -> Iterator[Batch]:
    """Give what is left of a plan, in batches without a gap in their numbers."""
    lines: list[bytes] = []
    first = size = 0

    for number, name in enumerate(plan.names, 1):
        line = records[name].line if name in records else b""

        if lines and (not line or len(lines) == _RECORDS or size + len(line) > _BYTES):
            yield Batch(plan.source, first, tuple(lines))
            lines, size = [], 0

        if line:
            first = first if lines else number
            lines.append(line)
            size += len(line)

    if lines:
        yield Batch(plan.source, first, tuple(lines))


class _Replay:
    """Sends one batch after another."""

    def __init__(self, folder: Path, post: Post, plan: _Plan, delivery: Delivery, until: float, timeout: float) -> None:
        self._folder = folder
        self._post = post
        self._plan = plan
        self._delivery = delivery
        self._until = until
        self._timeout = timeout
        self.acked = self.refused = 0
        self.reason = ""

    def send(self, batch: Batch) -> bool:
        """Send a batch; False where it has to be left for another time."""
        for part, verdict in attempts(batch, self._delivery, self._post, self._timeout):
            if verdict.effect in (Effect.RETRY, Effect.HOLD):
                self.reason = verdict.reason

                if verdict.effect is Effect.HOLD or time.monotonic() + verdict.delay > self._until:
                    return False

                time.sleep(verdict.delay)

            settled = self._plan.names[part.first - 1 : part.first - 1 + verdict.settled]
            refused = set(verdict.rejected) if verdict.effect is Effect.ACK else set(range(verdict.settled))
            self._settle(part.first, settled, refused, verdict.reason)

        return True

    def _settle(self, first: int, names: Sequence[str], refused: set[int], reason: str) -> None:
        if refused:
            self.reason = reason

            for place in refused:
                self._plan.names[first - 1 + place] = ""

            self._plan.save()

        gone = {name for place, name in enumerate(names) if place not in refused}

        if gone:
            purge(self._folder, lambda record: record.id in gone)

        self.acked += len(gone)
        self.refused += len(refused)
