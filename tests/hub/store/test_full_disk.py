"""A disk that is full: nothing is acknowledged that is not there, and it goes on by itself when there is room."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_batches import EVER, START_US, batch

from loghub.hub.store.duck import DuckStore
from loghub.query.tree import Everything

LIMITED = """
import resource, sys
from pathlib import Path
from loghub.hub.store.duck import DuckStore
from store_batches import batch

store = DuckStore(Path(sys.argv[1]), keep_us=2**60)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
first = 1

try:
    while True:
        store.append([batch(first, 100)])
        first += 100
except OSError as error:
    refused = error.errno

resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
(answer,) = store.append([batch(first, 100)])
print(refused, first + 99, answer.accepted, answer.duplicate)
store.close()
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB; needs root, and fails where it cannot be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=True)  # noqa: S607 (from PATH)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)  # noqa: S607 (from PATH)


def seqs(store: DuckStore) -> list[int]:
    page = store.search(Everything(), EVER, now_us=START_US, limit=1_000_000, order="oldest")
    return [stored.seq for stored in page.events]


def fill(store: DuckStore, first: int) -> int:
    """Append until the disk is full; give the last number that was acknowledged."""
    with pytest.raises(OSError, match="No space left on device") as caught:  # noqa: PT012 (which append fails is open)
        while True:
            store.append([batch(first, 100, bad=[first + 7])])
            first += 100

    assert caught.value.errno == errno.ENOSPC
    return first - 1


def test_a_full_disk_refuses_appends_and_keeps_searches_going(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2_000_000))
    store = DuckStore(small_disk / "data", keep_us=2**60, clock_us=lambda: START_US)
    last = fill(store, 1)
    expected = [seq for seq in range(1, last + 1) if seq % 100 != 8]

    assert last > 1000
    assert seqs(store) == expected

    ballast.unlink()
    (answer,) = store.append([batch(last - 99, 200, bad=[last - 92, last + 8])])
    assert (answer.accepted, answer.duplicate) == (99, 99)
    expected += [seq for seq in range(last + 1, last + 101) if seq % 100 != 8]
    assert seqs(store) == expected
    store.close()

    store = DuckStore(small_disk / "data", keep_us=2**60, clock_us=lambda: START_US)
    assert seqs(store) == expected
    assert store.damaged == ()
    store.close()
    quarantined = [
        json.loads(line)["seq"] for line in (small_disk / "data" / "quarantine.ndjson").read_text().splitlines()
    ]
    assert quarantined == [seq for seq in range(1, last + 101) if seq % 100 == 8]


def test_a_start_on_a_full_disk_can_search(small_disk: Path) -> None:
    store = DuckStore(small_disk / "data", keep_us=2**60, clock_us=lambda: START_US)
    last = fill(store, 1)
    found = seqs(store)
    store.close()
    store = DuckStore(small_disk / "data", keep_us=2**60, clock_us=lambda: START_US)

    assert seqs(store) == found
    fill(store, last + 1)
    store.close()


def test_sealing_without_room_is_done_when_there_is_room(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2_000_000))
    store = DuckStore(small_disk / "data", seal_rows=1500, keep_us=2**60, clock_us=lambda: START_US)
    last = fill(store, 1)
    found = seqs(store)
    assert found == [seq for seq in range(1, last + 1) if seq % 100 != 8]

    ballast.unlink()
    last = fill(store, last + 1)
    assert seqs(store) == [seq for seq in range(1, last + 1) if seq % 100 != 8]
    store.close()


def test_a_file_that_may_not_grow_is_as_it_was(tmp_path: Path) -> None:
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), *sys.path)))
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        capture_output=True,
        env=os.environ | {"PYTHONPATH": path},
        check=True,
        text=True,
    )
    refused, last, accepted, duplicate = map(int, run.stdout.split())
    store = DuckStore(tmp_path, keep_us=2**60)

    assert refused == errno.EFBIG
    assert last > 200
    assert (accepted, duplicate) == (100, 0)
    assert seqs(store) == list(range(1, last + 1))
    assert store.damaged == ()
    store.close()
