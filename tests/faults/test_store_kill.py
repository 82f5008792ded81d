"""A hub that is killed with SIGKILL while it merges, rewrites or removes: nothing is doubled, back or gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from store_batches import EVER, START_US

from loghub.hub.store.duck import DuckStore
from loghub.hub.store.shelf import REMOVING, REPLACING
from loghub.query.tree import Everything


@pytest.mark.parametrize("step", [*(f"replacement {step}" for step in REPLACING), *REMOVING])
def test_killed_while_files_are_replaced_or_removed(tmp_path: Path, step: str) -> None:
    appended, deleted = run_until_killed(tmp_path, step)
    store = DuckStore(tmp_path, keep_us=2**60)
    found = [stored.seq for stored in store.search(Everything(), EVER, now_us=START_US, limit=100_000).events]
    count, damaged = store.count(), store.damaged
    store.close()

    assert len(found) == len(set(found)) == count
    assert damaged == ()
    begun = appended // 50 * 50  # a deletion may have been under way: it covers what was there when it began
    gone = {seq for seq in range(1, deleted + 1) if is_meant(seq)}
    maybe_gone = {seq for seq in range(1, begun + 1) if is_meant(seq)}
    there = set(range(1, appended + 1))
    assert not gone & set(found)
    assert there - maybe_gone <= set(found)
    assert set(found) <= set(range(1, appended + 11))


def is_meant(seq: int) -> bool:
    return seq % 3 == 1 or (seq - 1) // 10 % 5 == 4


def run_until_killed(data: Path, step: str) -> tuple[int, int]:
    """Give the last number that was acknowledged, and the last one that an answered deletion covers."""
    script = Path(__file__).with_name("deleter.py")
    path = os.pathsep.join(filter(None, (str(script.parents[1]), *sys.path)))
    done = subprocess.run(
        [sys.executable, str(script), str(data), step],
        check=False, capture_output=True, text=True, timeout=60, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    said = [line.split() for line in done.stdout.splitlines()[1:]]
    appended = [int(number) for word, number in said if word == "appended"]
    deleted = [int(number) * 10 + 10 for word, number in said if word == "deleted"]
    return appended[-1], max(deleted, default=0)
