"""The process of one case of `emit.py`: it measures as often as asked on standard input."""

import contextlib
import gc
import json
import os
import resource
import statistics
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.emit_cases import CASES, Call, Drain

_WARM = 50


def main(name: str) -> None:
    """Set the case up, then measure as often as asked."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            call, drain = CASES[name](Path(folder))
            call()  # here, so that what starts at the first record is pinned nowhere
        except Exception as error:  # noqa: BLE001 (a peer that is missing, or that this Python cannot run)
            print(json.dumps({"missing": f"{type(error).__name__}: {error}"}), flush=True)
            return

        print(json.dumps({}), flush=True)

        for line in sys.stdin:
            asked = json.loads(line)
            print(json.dumps(MEASURES[asked.pop("measure")](call, drain, **asked)), flush=True)


def burst(call: Call, drain: Drain, records: int) -> dict[str, float]:
    """Measure a short burst of one thread, on the same processor each time; other threads go where they like."""
    taken: list[int] = []

    def log() -> None:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

        timed(call, _WARM, [])
        timed(call, records, taken)

    bare = time.process_time()
    thread = threading.Thread(target=log)
    thread.start()
    thread.join()
    drain()
    return summary(taken) | {"cpu": (time.process_time() - bare) / (records + _WARM) * 1e6}


def crowd(call: Call, drain: Drain, records: int, threads: int, busy: int) -> dict[str, float]:
    """Measure several threads that log, or one, beside others that compute."""
    gc.collect()
    times: list[list[int]] = [[] for _ in range(threads)]

    with busy_threads(busy):
        bare = time.process_time()
        workers = [threading.Thread(target=timed, args=(call, records // threads, found)) for found in times]

        for worker in workers:
            worker.start()

        for worker in workers:
            worker.join()

        drain()
        cpu = time.process_time() - bare

    every = [taken for found in times for taken in found]
    return summary(every) | {"cpu": 0.0 if busy else cpu / len(every) * 1e6}


def sustained(call: Call, drain: Drain, seconds: float) -> dict[str, float]:
    """Log without a pause: what a thread behind does, and takes the interpreter for, falls on the caller too."""
    gc.collect()
    before = drain() or 0
    clock = time.perf_counter
    records, bare, start = 0, time.process_time(), clock()

    while clock() - start < seconds:
        for _ in range(100):
            call()

        records += 100

    returned = clock() - start
    over = drain()
    handed = clock() - start
    cpu = time.process_time() - bare
    return {
        "mean": returned / records * 1e6,
        "handed": handed / records * 1e6,
        "cpu": cpu / records * 1e6,
        "share": 1.0 if over is None else (over - before) / records,
    }


def summary(taken: list[int]) -> dict[str, float]:
    """Give the mean and percentiles in microseconds."""
    every = sorted(taken)
    p50, p99 = (every[len(every) * place // 100] / 1000 for place in (50, 99))
    return {"mean": statistics.fmean(every) / 1000, "p50": p50, "p99": p99}


def timed(call: Call, records: int, found: list[int]) -> None:
    clock = time.perf_counter_ns

    for _ in range(records):
        before = clock()
        call()
        found.append(clock() - before)


@contextlib.contextmanager
def busy_threads(number: int) -> Iterator[None]:
    """Keep so many threads computing."""
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(1000))

    threads = [threading.Thread(target=compute) for _ in range(number)]

    for thread in threads:
        thread.start()

    yield
    over.set()

    for thread in threads:
        thread.join()


def memory(call: Call, _drain: Drain, records: int) -> dict[str, float]:
    """Log so many records; give by how much memory grew after the first tenth, in KB."""
    for _ in range(records // 10):
        call()

    gc.collect()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    start, _ = tracemalloc.get_traced_memory()

    for _ in range(records // 100):  # tracing is slow
        call()

    gc.collect()
    end, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    for _ in range(records):
        call()

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident
    return {"traced": (end - start) / 1024, "resident": grown}


MEASURES: dict[str, Callable[..., dict[str, Any]]] = {
    "burst": burst,
    "crowd": crowd,
    "sustained": sustained,
    "memory": memory,
}

if __name__ == "__main__":
    main(sys.argv[1])
