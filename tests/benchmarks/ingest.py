"""What taking a record in costs the hub, all included, and how long a durable batch takes.

The CPU is that of the hub's process for as many records as it seals at once, from the first request until the sealed
file is there: HTTP, decompression, reading, the log with its syncs, the table in memory, sealing. Its measure is
`msgspec.json.decode` of the same lines to dicts, each thrown away at once; what it takes where they are kept is shown,
too. Sealing is then measured apart, in this process.
The time of a durable batch of ten is set against an append and fdatasync of the same bytes to the same file system, by
turns; then it is measured while a heavy search runs again and again, and while the hub seals.

    python tests/benchmarks/ingest.py [--quick]
"""

import argparse
import http.client
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import msgspec
import zstandard

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.events import NOWHERE, lines

from loghub.hub.ingest import read_body
from loghub.hub.settings import Limits
from loghub.hub.store.duck import DuckStore
from loghub.wire.batch import source_id

from processes import HubProcess, wait_for

SEALED = 250_000  # what a hub seals at once
WANTED = 8  # times the decoding
_TICK = os.sysconf("SC_CLK_TCK")
_HEAVY = f"/api/v1/search?query={quote(f'{NOWHERE} -a:b message:/x.*y.*z/')}&from=-3650d"


@dataclass(frozen=True, slots=True)
class Case:
    """How records come: so many in a request, compressed or not."""

    batch: int
    compress: str


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    made = list(lines(SEALED))
    size = sum(map(len, made)) / len(made)
    print(f"{len(made):,} records of {size:.0f} bytes; CPython {sys.version.split()[0]}, {os.cpu_count()} cores,")
    print(
        ", ".join(f"{name} {version(name)}" for name in ("duckdb", "orjson", "msgspec", "uvicorn", "starlette")), "\n"
    )

    base = min(decoding(made) for _ in range(3))
    print("| | CPU, µs a record | × decoding |\n|---|---|---|")
    print(f"| `msgspec` decodes the line | {base:.2f} | 1 |")
    kept = min(decoding_kept(made) for _ in range(3))
    print(f"| the same, and the dicts are kept | {kept:.2f} | {kept / base:.1f} |")

    for case in (Case(500, "none"), Case(500, "zstd"), Case(5000, "none"), Case(5000, "zstd")):
        cost = statistics.median(hub_cost(made, case) for _ in range(1 if quick else 3))
        print(f"| the hub, batches of {case.batch}, {case.compress}, all included | {cost:.2f} | {cost / base:.1f} |")

    for name, cost in parts(made).items():
        print(f"| of that, {name} | {cost:.2f} | {cost / base:.1f} |")

    print(f"\nWanted: at most {WANTED} × decoding.\n")
    print_durable(made, 100 if quick else 500)


def decoding(made: Sequence[bytes]) -> float:
    """Give the CPU of decoding a line, in microseconds."""
    decode = msgspec.json.decode
    began = time.process_time()

    for line in made:
        decode(line)

    return (time.process_time() - began) / len(made) * 1e6


def decoding_kept(made: Sequence[bytes]) -> float:
    """Give the CPU of decoding a line to a dict that stays, in microseconds."""
    began = time.process_time()
    kept = [msgspec.json.decode(line) for line in made]
    return (time.process_time() - began) / len(kept) * 1e6


def hub_cost(made: Sequence[bytes], case: Case) -> float:
    """Send all lines to a new hub, and give its CPU for each, in microseconds."""
    bodies = [encode(made[start : start + case.batch], case.compress) for start in range(0, len(made), case.batch)]

    with tempfile.TemporaryDirectory() as data, HubProcess(Path(data)) as hub:
        sender = Sender(hub, case.compress)
        sender.send(encode(made[:10], case.compress), 10, named=False)  # imports, first compilations
        before = cpu_of(hub)

        for start, body in zip(range(0, len(made), case.batch), bodies, strict=True):
            sender.send(body, len(made[start : start + case.batch]))

        wait_for(lambda: list(Path(data).glob("**/*.duckdb")) and not working(hub), 60)
        return (cpu_of(hub) - before) / len(made) * 1e6


def parts(made: Sequence[bytes]) -> dict[str, float]:
    """Give the CPU of the large parts, measured in this process, in microseconds a record."""
    limits, reading, storing = Limits(), 0.0, 0.0
    source = source_id(time.time_ns() // 1_000_000, os.urandom(6))

    with tempfile.TemporaryDirectory() as data:
        store = DuckStore(Path(data), seal_rows=len(made))

        for start in range(0, len(made), 5000):
            body = b"".join(made[start : start + 5000])
            began = time.process_time()
            batch = read_body(body, limits=limits, now_us=time.time_ns() // 1000).batch(source, start + 1)
            read = time.process_time()
            store.append([batch])
            reading += read - began
            storing += time.process_time() - read

        began = time.process_time()
        wait_for(lambda: list(Path(data).glob("**/*.duckdb")) and not list(Path(data).glob("**/*.tmp")), 60)
        time.sleep(0.5)  # the log is removed
        sealing = time.process_time() - began
        store.close()

    costs = {"reading": reading, "log and table in memory": storing, "sealing": sealing}
    return {name: cost / len(made) * 1e6 for name, cost in costs.items()}


def print_durable(made: Sequence[bytes], rounds: int) -> None:
    """Print how long batches of ten take: alone, during heavy searches, during a seal."""
    with tempfile.TemporaryDirectory() as data, HubProcess(Path(data)) as hub:
        sender = Sender(hub, "none")
        body = b"".join(made[:10])
        bare, idle = by_turns(sender, body, Path(data) / "bare", rounds)

        for start in range(0, SEALED - 20_000, 5000):
            sender.send(b"".join(made[start : start + 5000]), 5000, named=False)

        with searching(hub):
            busy = [sender.timed(body) for _ in range(rounds)]

        sealing = while_sealing(sender, hub, made, body)

    print("| a durable batch of ten | p50, ms | p99, ms |\n|---|---|---|")

    for name, times in (
        ("append and fdatasync of the same bytes", bare),
        ("over HTTP, idle", idle),
        ("over HTTP, during heavy searches", busy),
        ("over HTTP, during a seal", sealing),
    ):
        print(f"| {name} | {quantile(times, 50):.2f} | {quantile(times, 99):.2f} |")

    ratio = statistics.median(idle) / statistics.median(bare)
    print(f"\nOver HTTP, idle: {ratio:.1f} × the disk's own (median of {rounds}); wanted: under 4.")


def by_turns(sender: "Sender", body: bytes, path: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Time appends to a file and batches to the hub, by turns."""
    bare, hub = [], []
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    for _ in range(rounds):
        began = time.perf_counter()
        os.write(fd, body)
        os.fdatasync(fd)
        bare.append(time.perf_counter() - began)
        hub.append(sender.timed(body))

    os.close(fd)
    return bare, hub


def while_sealing(sender: "Sender", hub: HubProcess, made: Sequence[bytes], body: bytes) -> list[float]:
    """Fill what is missing until the hub seals, and time batches until the file is there."""
    for start in range(0, 25_000, 5000):
        sender.send(b"".join(made[start : start + 5000]), 5000, named=False)

    times = []
    end = time.monotonic() + 20

    while not list(hub.data.glob("**/*.duckdb")) and time.monotonic() < end:
        times.append(sender.timed(body))

    return times or [float("nan")]


@contextmanager
def searching(hub: HubProcess) -> Iterator[None]:
    """Search heavily, without a pause, in a thread."""
    ended = threading.Event()

    def search() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", hub.port)

        while not ended.is_set():
            connection.request("GET", _HEAVY)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()

    thread = threading.Thread(target=search)
    thread.start()

    try:
        yield
    finally:
        ended.set()
        thread.join()


class Sender:
    """One sender, one request at a time."""

    def __init__(self, hub: HubProcess, compress: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", hub.port)
        self._headers = {"Content-Type": "application/x-ndjson"}
        self._source = source_id(time.time_ns() // 1_000_000, os.urandom(6))
        self._next = 1

        if compress != "none":
            self._headers["Content-Encoding"] = compress

    def send(self, body: bytes, count: int, *, named: bool = True) -> None:
        """Send lines, under the next numbers of a source or without a name."""
        headers = dict(self._headers)

        if named:
            headers["Idempotency-Key"] = f"{self._source}:{self._next}-{self._next + count - 1}"
            self._next += count

        self._connection.request("POST", "/api/v1/ingest", body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text

    def timed(self, body: bytes) -> float:
        """Send ten lines, and give the seconds until they were acknowledged."""
        began = time.perf_counter()
        self.send(body, 10)
        return time.perf_counter() - began


def encode(batch: Sequence[bytes], compress: str) -> bytes:
    """Make a body."""
    body = b"".join(batch)
    return zstandard.ZstdCompressor(1).compress(body) if compress == "zstd" else body


def cpu_of(hub: HubProcess) -> float:
    """Give the CPU seconds that a hub has used."""
    assert hub._process is not None
    fields = Path(f"/proc/{hub._process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def working(hub: HubProcess) -> bool:
    """Tell whether it uses CPU now."""
    before = cpu_of(hub)
    time.sleep(0.3)
    return cpu_of(hub) - before > 0.03


def quantile(times: Sequence[float], percent: int) -> float:
    """Give a quantile, in milliseconds."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000


if __name__ == "__main__":
    main()
