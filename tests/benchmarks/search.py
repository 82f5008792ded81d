"""How long searches take: `python tests/benchmarks/search.py [--events 2000000] [--quick] [--cache DIRECTORY]`.

A store is filled with made-up events (`events.py`) the way ingest fills it, and each query is asked on one core, with
all that it reads in the system's cache. The yardstick F is the time of `bytes.find(b"zqqnomatch")` over the same events
as NDJSON in memory, taken in the same run. Queries take turns; each figure is a median. F, "warm" and SQLite are CPU
times, the other two the time that passed.

Rows:
    warm        the store is at rest
    + ingest    records come in at 20 000 a second in the same process, or as many as it takes on that core
    cold        the store was opened just before, and the system has dropped the files from its cache
    SQLite      the same events in a table with indices and a trigram index, as one writes it by hand
Prints a table in Markdown, then what the files and a `loghub serve` on them take. With a cache, a store that is there
is not filled again.
"""

import argparse
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import search_sqlite
from benchmarks.events import NOWHERE, START_US, lines
from benchmarks.search_fill import append, copied, fill, forget, opened, raw, sealed_files

from loghub.hub.store.duck import DuckStore
from loghub.hub.store.protocol import Place, Span
from loghub.hub.store.summaries import Grouping
from loghub.query.parse import parse

from processes import HubProcess

T = TypeVar("T")

EVER = Span(0, 2**60)
_RATE = 20_000
_SMALL = 2_000_000  # SQLite is filled with so many at most
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Case:
    """A query, and the wanted bound in F; None where none was set."""

    bound: float | None
    ask: Callable[[DuckStore], object]


@dataclass(frozen=True, slots=True)
class Example:
    """Values out of the events: of one in the middle."""

    request: str
    customer: str
    place: Place


def cases(found: Example, end_us: int) -> Mapping[str, Case]:
    """Give the queries."""
    whole = Span(START_US, end_us)

    return {
        "newest page of 200": Case(0.05, page("")),
        "deep page of 200": Case(0.05, page("", found.place)),
        "service and level": Case(0.13, page("service:billing level:error")),
        "request id": Case(0.05, page(f"request_id:{found.request}")),
        "a request id that is nowhere": Case(0.015, page("request_id:ffffffffffffffff")),
        "a service that is nowhere": Case(0.015, page(f"service:{NOWHERE}")),
        "an attribute's value that is nowhere": Case(0.015, page("order_id:o-7777777777")),
        "a field that is nowhere": Case(0.015, page(f"{NOWHERE}:1")),
        "promoted attribute = value": Case(0.3, page(f"customer:{found.customer}")),
        "promoted attribute of mixed type = value": Case(0.3, page("order_id:4711")),
        "promoted attribute > number": Case(0.3, page("duration_ms>399.99")),
        "rare attribute, not promoted = value": Case(1.2, page("coupon:spring-777")),
        "top values of a column": Case(0.05, facets("service")),
        "top values of a column, of what matches": Case(None, facets("service", "level:error")),
        "top values of a promoted attribute": Case(0.25, facets("status")),
        "top values of a promoted attribute with many": Case(0.25, facets("user_id")),
        "histogram by level over everything": Case(0.1, histogram("", whole)),
        "histogram by level of what matches": Case(None, histogram("service:billing", whole)),
        "substring without a hit": Case(0.6, page(NOWHERE)),
        "regular expression without a hit": Case(None, page(f"message:/{NOWHERE}[0-9]/")),
        "names of all fields": Case(None, lambda store: store.names(parse(""), EVER, now_us=0, limit=100)),
        "count by service, level": Case(None, groups("service", "level")),
    }


def page(query: str, start: Place | None = None) -> Callable[[DuckStore], object]:
    """Ask for a page."""
    tree = parse(query)
    return lambda store: store.search(tree, EVER, now_us=0, limit=200, start=start)


def facets(field: str, query: str = "") -> Callable[[DuckStore], object]:
    """Ask for the top values of a field."""
    tree = parse(query)
    return lambda store: store.facets(tree, EVER, now_us=0, fields=[field], limit=10)


def histogram(query: str, span: Span) -> Callable[[DuckStore], object]:
    """Ask for a histogram by level."""
    tree = parse(query)
    return lambda store: store.histogram(tree, span, now_us=0, buckets=60)


def groups(*keys: str) -> Callable[[DuckStore], object]:
    """Ask for groups."""
    grouping = Grouping([(key,) for key in keys], 100)
    return lambda store: store.groups(parse(""), EVER, now_us=0, grouping=grouping)


def main(count: int, rounds: int, cache: Path) -> None:
    """Fill, measure and print."""
    cache.mkdir(parents=True, exist_ok=True)
    data, ndjson = cache / f"store-{count}", raw(cache / f"events-{count}.ndjson", count)
    filled = None if data.exists() else fill(data, count)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    size = ndjson.stat().st_size
    yardstick = find(ndjson.read_bytes())
    print(f"{count} events of {size / count:.0f} bytes. {versions()}")
    print(f"F = {yardstick * 1e3:.0f} ms ({size / yardstick / 1e9:.2f} GB/s).")

    if filled is not None:
        print(f"Filled with {filled / count * 1e6:.1f} µs of CPU a record: JSON read, logged, synced and sealed.")

    with opened(data) as store:
        found, end_us = example(store, count), store.search(parse(""), EVER, now_us=0, limit=1).events[0].event.time_us
        asked = cases(found, end_us + 1)
        warm = measure(asked, lambda case: case.ask(store), rounds)

    cold, opening = measure_cold(data, asked)
    small = min(count, _SMALL)
    peer = {name: each * count / small for name, each in measure_sqlite(cache, small, found, rounds).items()}

    with copied(data) as copy, opened(copy) as store:
        arrivals = Arrivals(store, count)

        with arrivals:
            busy = measure(asked, lambda case: case.ask(store), max(3, rounds // 2), time.perf_counter)

    print_table(asked, yardstick, {"warm": warm, "+ ingest": busy, "cold": cold, "SQLite": peer})
    print(f"\nCame in meanwhile: {arrivals.rate:.0f} records/s. Cold: opening the store took {opening * 1e3:.0f} ms.")
    print(f"SQLite has {small} of the events; its times are scaled up.")
    disk = sum(path.stat().st_size for path in sealed_files(data))
    print(f"Disk: {disk / count:.0f} bytes a record, {disk / size:.3f} of the raw lines (wanted ≤ 0.25).")
    measure_memory(data)


def versions() -> str:
    """Say what was measured, and where."""
    return (
        f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}, one core; "
        f"duckdb {duckdb.__version__}, SQLite {sqlite3.sqlite_version}."
    )


def find(body: bytes) -> float:
    """Give the seconds that a search through the lines takes."""
    times = []

    for _ in range(7):
        began = time.process_time()
        assert body.find(NOWHERE.encode()) < 0
        times.append(time.process_time() - began)

    return statistics.median(times)


def example(store: DuckStore, count: int) -> Example:
    """Take values out of events in the middle."""
    middle = store.numbered(range(count * 9 // 20, count * 9 // 20 + 1000))
    requests = [stored for stored in middle if "request_id" in stored.event.fields]
    customers = [stored for stored in middle if "customer" in stored.event.fields]
    stored = middle[0]

    return Example(
        str(requests[0].event.fields["request_id"]),
        str(customers[0].event.fields["customer"]),
        Place(stored.event.time_us, stored.source, stored.seq),
    )


def measure(
    asked: Mapping[str, T], ask: Callable[[T], object], rounds: int, clock: Callable[[], float] = time.process_time
) -> dict[str, float]:
    """Ask all in turns; give the median of each in seconds."""
    times: dict[str, list[float]] = {name: [] for name in asked}

    for turn in range(rounds + 1):
        for name, case in asked.items():
            began = clock()
            ask(case)

            if turn:  # the first one warms up
                times[name].append(clock() - began)

    return {name: statistics.median(found) for name, found in times.items()}


def measure_cold(data: Path, asked: Mapping[str, Case]) -> tuple[dict[str, float], float]:
    """Ask each once, of a store that was opened just before, its files out of the cache; give the time to open, too."""
    times, openings = {}, []

    for name, case in asked.items():
        forget(data)
        began = time.perf_counter()

        with opened(data) as store:
            openings.append(time.perf_counter() - began)
            began = time.perf_counter()
            case.ask(store)
            times[name] = time.perf_counter() - began

    return times, statistics.median(openings)


def measure_sqlite(cache: Path, count: int, found: Example, rounds: int) -> dict[str, float]:
    """Ask SQLite what it can answer."""
    path = cache / f"sqlite-{count}.db"

    if not path.exists():
        search_sqlite.fill(path, count)

    asked = search_sqlite.cases(path, found.request, found.customer)
    rounds = max(3, rounds // 2)
    return measure(asked, lambda ask: ask(), rounds)


class Arrivals:
    """Records that come in, from a thread of this process."""

    def __init__(self, store: DuckStore, count: int) -> None:
        self._store = store
        self._first = count * 1000 + int(time.time())
        self._lines = list(lines(20_000, seed=2))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.rate = 0.0

    def __enter__(self) -> "Arrivals":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        began, sent = time.perf_counter(), 0

        while not self._stop.is_set():
            place = sent % len(self._lines)
            append(self._store, self._lines[place : place + _BATCH], self._first + sent)
            sent += _BATCH
            self._stop.wait(max(0.0, began + sent / _RATE - time.perf_counter()))

        self.rate = sent / (time.perf_counter() - began)


def print_table(asked: Mapping[str, Case], yardstick: float, columns: Mapping[str, Mapping[str, float]]) -> None:
    """Print the ratios to F, and the milliseconds of the first column."""
    print(f"\n| query | wanted | {' | '.join(columns)} | warm, ms |\n|{'---|' * (len(columns) + 3)}")

    for name, case in asked.items():
        ratios = [f"{column[name] / yardstick:.3f}" if name in column else "" for column in columns.values()]
        wanted = "shown" if case.bound is None else f"≤ {case.bound} F"
        print(f"| {name} | {wanted} | {' | '.join(ratios)} | {columns['warm'][name] * 1e3:.1f} |")


def measure_memory(data: Path) -> None:
    """Print what a hub on the store takes, at rest and after queries."""
    with HubProcess(data, "--keep", "36500 days", "--keep-size", "1 TB") as hub:
        hub.get("search", limit=1)
        idle = resident(hub.pid, "VmRSS")

        for query in ("", NOWHERE, "customer:c-1", "level:error", f"message:/{NOWHERE}/"):
            hub.get("search", query=query, limit=200)
            hub.get("facets", query=query, fields="service,status,user_id")
            hub.get("histogram", query=query)

        print(
            f"RSS of `loghub serve`: {idle} MB idle (wanted < 250), at most {resident(hub.pid, 'VmHWM')} MB during"
            f" queries (wanted < 600), {resident(hub.pid, 'VmRSS')} MB after them."
        )


def resident(pid: int, key: str) -> int:
    """Give a figure of a process's memory in megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) // 1024

    raise ValueError(f"no {key} of {pid}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How long searches take.")
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--quick", action="store_true", help="200 000 events, few rounds")
    parser.add_argument("--cache", type=Path, help="directory in which filled stores are kept")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        main(200_000 if options.quick else options.events, 3 if options.quick else 9, options.cache or Path(scratch))
