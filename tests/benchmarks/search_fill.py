"""A store filled with the made-up events of `events`, as ingest fills it, for `search.py`."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from benchmarks.events import lines

from loghub.hub.ingest import read_body
from loghub.hub.settings import Limits
from loghub.hub.store.duck import DuckStore

SOURCE = "0123456789ab" + "0" * 12
_BATCH = 1_000
_FOREVER = 2**60


@contextmanager
def opened(data: Path) -> Iterator[DuckStore]:
    """Open a store that keeps everything."""
    with closing(DuckStore(data, keep_us=_FOREVER, keep_bytes=_FOREVER, query_seconds=600)) as store:
        yield store


def fill(data: Path, count: int) -> float:
    """Fill a store and wait until all of it is sealed that is cut off; gives the CPU seconds for it."""
    before = time.process_time()
    made = lines(count)
    making = 0.0

    with opened(data) as store:
        for first in range(1, count + 1, _BATCH):
            began = time.process_time()
            batch = list(islice(made, _BATCH))
            making += time.process_time() - began
            append(store, batch, first)

        wait_sealed(data)

    return time.process_time() - before - making


def append(store: DuckStore, batch: list[bytes], first: int) -> None:
    """Put lines into the store; waits while sealing lags behind."""
    reading = read_body(b"".join(batch), limits=Limits(), now_us=time.time_ns() // 1000)

    while True:
        try:
            store.append([reading.batch(SOURCE, first)])
        except OSError:
            time.sleep(0.05)
        else:
            return


def wait_sealed(data: Path) -> None:
    """Wait until one log file is left, whose rows are in memory."""
    while len(list((data / "wal").iterdir())) > 1:
        time.sleep(0.1)


def raw(path: Path, count: int) -> Path:
    """Write the lines to a file, unless it is there."""
    if not path.exists():
        with path.with_suffix(".part").open("wb") as file:
            for piece in _pieces(count):
                file.write(piece)

        path.with_suffix(".part").replace(path)

    return path


def _pieces(count: int) -> Iterator[bytes]:
    made = lines(count)

    while piece := b"".join(islice(made, 10_000)):
        yield piece


@contextmanager
def copied(data: Path) -> Iterator[Path]:
    """Give a copy of a store, which has the sealed files in common with it: they never change."""
    copy = data.with_name(f"{data.name}-copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(data, copy, copy_function=_link_or_copy)

    try:
        yield copy
    finally:
        shutil.rmtree(copy)


def _link_or_copy(source: str, target: str) -> None:
    (os.link if source.endswith(".duckdb") else shutil.copyfile)(source, target)


def sealed_files(data: Path) -> list[Path]:
    """Give the sealed files."""
    return sorted((data / "parts").glob("*.duckdb"))


def forget(data: Path) -> None:
    """Let the system drop what it has cached of the sealed files."""
    for path in sealed_files(data):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
