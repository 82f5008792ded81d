"""Kill -9 at any moment: what was acknowledged is there, exactly once."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from store_batches import EVER, START_US, source

from loghub.hub.store.duck import DuckStore
from loghub.hub.store.seal import STEPS
from loghub.query.tree import Everything

SENDERS = [source(number) for number in (1, 2, 3)]
ROUNDS = 15


@pytest.mark.slow
@pytest.mark.parametrize("seal_rows", [1_000_000, 60])
def test_killed_at_random_moments(tmp_path: Path, seal_rows: int) -> None:
    chance = random.Random(seal_rows)
    acknowledged = dict.fromkeys(SENDERS, 0)

    for seed in range(ROUNDS if seal_rows == 60 else 5):
        acknowledged |= run_and_kill(tmp_path, acknowledged, seed, seal_rows, after=chance.randint(1, 60))
        check(tmp_path, acknowledged)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_of_sealing(tmp_path: Path, step: str) -> None:
    acknowledged = run_and_kill(tmp_path, dict.fromkeys(SENDERS, 0), 1, 60, die_at=step)
    check(tmp_path, acknowledged)
    acknowledged = run_and_kill(tmp_path, acknowledged, 2, 60, after=10)
    check(tmp_path, acknowledged)


def run_and_kill(
    data: Path, acknowledged: dict[str, int], seed: int, seal_rows: int, *, after: int = 0, die_at: str | None = None
) -> dict[str, int]:
    """Let a process append; kill it when it has acknowledged `after` batches, or wait until it kills itself."""
    orders = {
        "data": str(data),
        "seed": seed,
        "seal_rows": seal_rows,
        "next": {sender: last + 1 for sender, last in acknowledged.items()},
        "die_at": die_at,
    }
    script = Path(__file__).with_name("appender.py")
    path = os.pathsep.join(filter(None, (str(script.parents[2]), *sys.path)))
    seen = dict(acknowledged)

    with subprocess.Popen(
        [sys.executable, str(script), json.dumps(orders)], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path}
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"

        for number, line in enumerate(process.stdout, 1):
            if line.endswith(b"\n"):
                sender, last = line.decode().split()
                seen[sender] = int(last)

            if number == after:
                process.kill()  # and read on: what it said before it died counts too

    assert process.returncode == -9
    return seen


def check(data: Path, acknowledged: dict[str, int]) -> None:
    store = DuckStore(data, keep_us=2**60)
    found = store.search(Everything(), EVER, now_us=START_US, limit=1_000_000).events
    arrived = store.after(0, 1_000_000)
    count = store.count()
    store.close()

    for sender, last in acknowledged.items():
        seqs = sorted(stored.seq for stored in found if stored.source == sender)
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) >= last

    assert [stored.arrival for stored in arrived] == list(range(1, count + 1))
    assert sorted(stored.id for stored in arrived) == sorted(stored.id for stored in found)
    assert store.damaged == ()
