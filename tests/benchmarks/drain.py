"""How fast one sender drains what waits, and who bounds it: `python tests/benchmarks/drain.py [records]`.

A queue that is full of records is sent, first to a listener that only counts (what the sender can do), then to a real
hub (what both can do). CPU is counted apart: of this process, and of the hub's. Cases run in turns; each figure is a
median.
"""

import argparse
import logging
import os
import re
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from loghub.formatters import JSONFormatter
from loghub.handlers.delivery import Pace
from loghub.handlers.destination import Destination
from loghub.handlers.memory import Backlog, MemoryRing
from loghub.handlers.remote_options import carrier
from loghub.handlers.spool import Settings, Spool
from loghub.handlers.worker import Engine, Limits

from processes import HubProcess

_TICK = os.sysconf("SC_CLK_TCK")
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured: where records wait, how they are compressed, how many go together, and to whom."""

    waits: str
    compress: str
    batch: int
    hub: str

    def __str__(self) -> str:
        return f"{self.waits}, {self.compress}, batches of {self.batch}, {self.hub}"


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took, in seconds."""

    wall: float
    sender: float
    hub: float


def lines(count: int) -> list[bytes]:
    """Make lines with five extras, as the benchmark of a call has them."""
    formatter = JSONFormatter(static={"service": "shop"})
    made = []

    for number in range(count):
        extra = {"sku": f"tea-{number % 97}", "amount": 9.5, "user": number % 1009, "region": "eu", "paid": True}
        fields = {"name": "shop.cart", "levelno": 20, "levelname": "INFO", "msg": "sold %d", "args": (number,), **extra}
        made.append(formatter.format_line(logging.makeLogRecord(fields)))

    return made


@contextmanager
def counting_listener() -> Iterator[str]:
    """Serve a hub that reads each request and says yes, in a process of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    child = os.fork()

    if not child:
        with suppress(KeyboardInterrupt):
            while True:
                _answer(listener.accept()[0])

    listener.close()

    try:
        yield url
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def _answer(connection: socket.socket) -> None:
    reader = connection.makefile("rb")
    size = 0

    while line := reader.readline():
        if match := _LENGTH.match(line):
            size = int(match[1])
        elif line == b"\r\n":
            reader.read(size)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    connection.close()


def drain(case: Case, url: str, made: list[bytes], hub_cpu: Callable[[], float]) -> Run:
    """Send lines that wait."""
    place = Destination(url, compress=case.compress)
    limits = Limits(batch_records=case.batch, batch_bytes=4_000_000, linger=0.0)

    with tempfile.TemporaryDirectory() as folder:
        waiting = threading.Event()

        def make_post() -> Any:
            waiting.wait()  # until all lines are there
            return carrier(place, engine.report)

        def backlog(source: str) -> Backlog:
            if case.waits == "spool":
                return Spool(Settings(Path(folder), url))

            return MemoryRing(source, len(made), 10**10)

        engine = Engine("benchmark", limits, backlog, make_post, Pace())
        engine.attach(object())

        for line in made:
            engine.append(line)

        before, hub_before, started = time.process_time(), hub_cpu(), time.perf_counter()
        waiting.set()
        assert engine.flush(600)
        run = Run(time.perf_counter() - started, time.process_time() - before, hub_cpu() - hub_before)
        assert engine.counters.acked == len(made)
        engine.retire()
        return run


def cpu_of(process: int) -> float:
    """Give the CPU seconds that a process and its threads have used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("records", type=int, nargs="?", default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    made = lines(options.records)
    print(f"{len(made)} records of {len(made[0])} bytes; CPython {sys.version.split()[0]}, {os.cpu_count()} cores\n")
    ways = [("memory", "zstd", 500), ("memory", "gzip", 500), ("memory", "none", 500), ("memory", "zstd", 5000)]
    ways += [("spool", "zstd", 500), ("spool", "zstd", 5000)]
    cases = [Case(*way, hub) for hub in ("counts only", "real hub") for way in ways]
    runs: dict[Case, list[Run]] = {case: [] for case in cases}

    with tempfile.TemporaryDirectory() as data, counting_listener() as counter, HubProcess(Path(data)) as hub:
        assert hub._process is not None
        pid = hub._process.pid

        for _ in range(options.rounds):
            for case in cases:
                real = case.hub == "real hub"
                cpu: Callable[[], float] = (lambda: cpu_of(pid)) if real else (lambda: 0.0)
                runs[case].append(drain(case, hub.url if real else counter, made, cpu))

    print("| waits in | compressed | batch | hub | records/s | sender's CPU, µs a record | hub's CPU, µs a record |")
    print("|---|---|---|---|---|---|---|")

    for case, all_runs in runs.items():
        rate = statistics.median(len(made) / run.wall for run in all_runs)
        sender = statistics.median(run.sender / len(made) * 1e6 for run in all_runs)
        served = statistics.median(run.hub / len(made) * 1e6 for run in all_runs)
        shown = f"{served:.1f}" if served else "–"
        print(f"| {case.waits} | {case.compress} | {case.batch} | {case.hub} | {rate:,.0f} | {sender:.1f} | {shown} |")


if __name__ == "__main__":
    main()
