"""Eight processes write to one file that is rolled over every 64 KB: lines per second, ours and
concurrent-log-handler's.

    python tests/benchmarks/shared_file.py [--rounds 5] [--lines 5000] [--processes 8]

Both are given the same work in turns, within one run; a ratio is the median over the rounds. concurrent-log-handler
formats with python-json-logger and orjson, the fastest pairing there. "all at once" adds gzip and retention to both.
Every line of every round is counted afterwards.
"""

import argparse
import gzip
import importlib.metadata
import logging
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

LIMIT = 64_000
WARM = 50
Cpu = SimpleQueue[float]  # microseconds for a line
EXTRA = {"order_id": 12345, "sku": "A-778", "amount": 19.99, "cached": False, "user": "u-4711"}


def ours(path: Path, *, everything: bool) -> logging.Handler:
    loghub = import_module("loghub")
    more = {"compress": "gz", "keep": "1 day", "keep_files": 10_000, "keep_total": "5 GB"} if everything else {}
    handler: logging.Handler = loghub.JSONFileHandler(path, rotate=f"{LIMIT} B", **more)
    handler.setFormatter(loghub.JSONFormatter())
    return handler


def theirs(path: Path, *, everything: bool) -> logging.Handler:
    handlers: Any = import_module("concurrent_log_handler")
    formatters: Any = import_module("pythonjsonlogger.orjson")
    names = "timestamp,levelname,name,process,threadName,module,funcName,pathname,lineno,message"
    # So many old files that none is deleted: its retention would be a loss here.
    handler: logging.Handler = handlers.ConcurrentRotatingFileHandler(
        str(path), maxBytes=LIMIT, backupCount=2000, use_gzip=everything
    )
    handler.setFormatter(formatters.OrjsonFormatter(names, style=",", timestamp=True))
    return handler


MAKERS: dict[str, Callable[..., logging.Handler]] = {"loghub": ours, "concurrent-log-handler": theirs}


def write(name: str, path: Path, lines: int, start: Barrier, cpu: Cpu, *, everything: bool) -> None:
    """Be one of the processes."""
    logger = logging.getLogger("shop.checkout")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(MAKERS[name](path, everything=everything))

    for number in range(WARM):
        logger.info("order %s:%d", os.getpid(), number, extra=EXTRA)

    start.wait()
    began = time.process_time()

    for number in range(lines):
        logger.info("order %s:%d", os.getpid(), number, extra=EXTRA)

    cpu.put((time.process_time() - began) / lines * 1e6)
    os._exit(0)  # what is still compressed behind it is not the caller's time


def measure(name: str, processes: int, lines: int, *, everything: bool) -> tuple[float, float, int]:
    """Give lines per second, microseconds of CPU for a line, and how many lines are in the files."""
    context = multiprocessing.get_context("spawn")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "app.jsonl"
        start = context.Barrier(processes + 1)
        cpu: Cpu = context.SimpleQueue()
        workers = [
            context.Process(target=write, args=(name, path, lines, start, cpu), kwargs={"everything": everything})
            for _ in range(processes)
        ]

        for worker in workers:
            worker.start()

        start.wait()
        began = time.perf_counter()

        for worker in workers:
            worker.join()

        taken = time.perf_counter() - began
        used = statistics.fmean(cpu.get() for _ in workers)
        return processes * lines / taken, used, count_lines(Path(folder))


def count_lines(folder: Path) -> int:
    found = {path.name.removesuffix(".gz"): path for path in sorted(folder.iterdir(), key=lambda p: p.suffix != ".gz")}
    total = 0

    for path in found.values():
        if path.name.startswith("app") and "lock" not in path.name:
            data = path.read_bytes()
            total += (gzip.decompress(data) if path.suffix == ".gz" else data).count(b"\n")

    return total


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=5000)
    parser.add_argument("--processes", type=int, default=8)
    options = parser.parse_args()
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("concurrent-log-handler", "orjson")]
    print(f"CPython {sys.version.split()[0]}, {os.cpu_count()} cores; {', '.join(versions)}.")
    print(f"{options.processes} processes of {options.lines} lines each, rolled over every {LIMIT // 1000} KB.\n")
    print("| scene | case | lines/s | CPU µs a line | lines lost |\n|---|---|---|---|---|")
    ratios = []

    for scene, everything in (("rotation", False), ("all at once", True)):
        found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in MAKERS}

        for _ in range(options.rounds):
            for name, rounds in found.items():
                rounds.append(measure(name, options.processes, options.lines, everything=everything))

        for name, rounds in found.items():
            rate, cpu = (statistics.median(one[place] for one in rounds) for place in (0, 1))
            lost = sum(options.processes * (options.lines + WARM) - one[2] for one in rounds)
            print(f"| {scene} | {name} | {rate:,.0f} | {cpu:.1f} | {lost} |", flush=True)

        pairs = list(zip(*found.values(), strict=True))
        rate, cpu = (statistics.median(mine[place] / other[place] for mine, other in pairs) for place in (0, 1))
        ratios.append(f"{scene}: {rate:.1f} × the lines per second, {cpu:.2f} × the CPU")

    print("\n" + "; ".join(ratios) + " (medians over the rounds).")


if __name__ == "__main__":
    main()
