"""A process that appends until it is killed, and prints what was acknowledged.

Arguments, as JSON: data, seed, seal_rows, next (for each source, the first number that was not acknowledged),
and `die_at`: a step of sealing at which the process kills itself, or null.
"""

import json
import os
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from store_batches import batch

from loghub.hub.store.duck import DuckStore


@dataclass(frozen=True)
class Orders:
    """What the arguments say."""

    data: str
    seed: int
    seal_rows: int
    next: dict[str, int]
    die_at: str | None


def main(orders: Orders) -> None:
    """Append batches of several sources, up to three together, some of them sent again in part."""
    chance = random.Random(orders.seed)
    store = DuckStore(Path(orders.data), seal_rows=orders.seal_rows, keep_us=2**60, on_step=_dying(orders.die_at))
    position = dict(orders.next)
    _say("ready")

    while True:
        senders = chance.sample(sorted(position), chance.randint(1, len(position)))
        again = {sender: chance.randint(max(1, position[sender] - 5), position[sender]) for sender in senders}
        counts = {sender: position[sender] - again[sender] + chance.randint(1, 40) for sender in senders}
        times = [chance.randint(0, 1000) for _ in range(50)]
        store.append([batch(again[sender], counts[sender], sender=sender, times=times) for sender in senders])

        for sender in senders:
            position[sender] = again[sender] + counts[sender]
            _say(f"{sender} {position[sender] - 1}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _dying(die_at: str | None) -> Callable[[str], None]:
    def on_step(step: str) -> None:
        if step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    return on_step


if __name__ == "__main__":
    main(Orders(**json.loads(sys.argv[1])))
