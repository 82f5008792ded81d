"""A process that appends and deletes until it kills itself at a step, and prints what was answered.

Arguments: the data directory, and the step.
"""

import os
import signal
import sys
import time
from pathlib import Path

from store_batches import EVER, START_US, batch

from loghub.hub.store.duck import HOUR_US, DuckStore
from loghub.query.parse import parse


def main(data: Path, die_at: str) -> None:
    """Append ten events, a round; after each fifth round delete all of it, and a third of the others."""
    clock_us = START_US

    def on_step(step: str) -> None:
        if step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    store = DuckStore(data, seal_rows=40, keep_us=2**60, clock_us=lambda: clock_us, on_step=on_step)
    _say("ready")

    for number in range(1000):
        first = 10 * number + 1
        store.append([batch(first, 10, received_us=clock_us, fields={"round": number})])
        _say(f"appended {first + 9}")
        clock_us += HOUR_US

        while store.stats().hot:
            store._keeper.wake()
            time.sleep(0.005)

        if number % 5 == 4:
            store.delete(parse(f"service:service-1 OR round:{number}"), EVER, now_us=clock_us)
            _say(f"deleted {number}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
