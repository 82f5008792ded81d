"""How long searches take: `python tests/benchmarks/search.py [--events 2000000] [--quick] [--cache DIRECTORY]`.

A store is filled with made-up events (`events.py`) the way ingest fills it, and each query is asked on one core, with
all that it reads in the system's cache. The yardstick F is the time of `bytes.find(b"zqqnomatch")` over the same events
as NDJSON in memory, taken in the same run. Queries take turns; each figure is a median. F, "warm" and SQLite are CPU
times, the others the time that passed.

Columns:
    warm        the store is at rest
    + ingest    a hub has the store, and takes in 20 000 records a second from a process of their own, over HTTP. Their
                times go on where those of the store end, so that queries find them. The queries are asked in the hub's
                process, by a thread that keeps to one core; the hub's other threads and the sender may use them all.
                It lasts long enough for all that is in memory to be sealed twice
    × at rest   that, over the time that passes in the same hub before records come in
    cold        the store was opened just before, and the system has dropped the files from its cache
    SQLite      the same events in a table with indices and a trigram index, as one writes it by hand
Prints a table in Markdown, then what the files and a `loghub serve` on them take. With a cache, a store that is there
is not filled again.
"""

import argparse
import itertools
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import search_sqlite
from benchmarks.events import NOWHERE, START_US
from benchmarks.search_arrivals import Arrivals, taking_in
from benchmarks.search_fill import copied, fill, forget, opened, raw, sealed_files

from loghub.hub.store.duck import DuckStore
from loghub.hub.store.protocol import Place, Span
from loghub.hub.store.summaries import Grouping
from loghub.query.parse import parse

from processes import HubProcess

T = TypeVar("T")

EVER = Span(0, 2**60)
_RATE = 20_000
_BUSY_S = 30.0
_US = 1_000_000
_SMALL = 2_000_000  # SQLite is filled with so many at most


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


def main(count: int, rounds: int, busy_s: float, cache: Path) -> None:
    """Fill, measure and print."""
    cache.mkdir(parents=True, exist_ok=True)
    data, ndjson = cache / f"store-{count}", raw(cache / f"events-{count}.ndjson", count)
    filled = None if data.exists() else fill(data, count)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    size = ndjson.stat().st_size
    yardstick = find(ndjson.read_bytes())
    print(f"{count} events of {size / count:.0f} bytes. {versions()}")
    print(f"F = {yardstick * 1e3:.0f} ms ({size / yardstick / 1e9:.2f} GB/s).")

    if filled is not None:
        print(f"Filled with {filled / count * 1e6:.1f} µs of CPU a record: JSON read, logged, synced and sealed.")

    with opened(data) as store:
        found, end_us = example(store, count), store.search(parse(""), EVER, now_us=0, limit=1).events[0].event.time_us
        asked = cases(found, end_us + 600 * _US)  # with what will have come in
        warm = measure(asked, lambda case: case.ask(store), rounds)

    cold, opening = measure_cold(data, asked)
    small = min(count, _SMALL)
    peer = {name: each * count / small for name, each in measure_sqlite(cache, small, found, rounds).items()}

    busy = measure_busy(data, asked, cores, end_us, busy_s)
    print_table(asked, yardstick, warm, busy, {"cold": cold, "SQLite": peer})
    print(f"\nCame in meanwhile: {busy.rate:.0f} records/s. Cold: opening the store took {opening * 1e3:.0f} ms.")
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
    asked: Mapping[str, T],
    ask: Callable[[T], object],
    rounds: int,
    clock: Callable[[], float] = time.process_time,
    seconds: float = 0.0,
) -> dict[str, float]:
    """Ask all in turns, so often and at least for so long; give the median of each in seconds."""
    times: dict[str, list[float]] = {name: [] for name in asked}
    end = time.monotonic() + seconds
    turns = itertools.count()

    while (turn := next(turns)) <= rounds or time.monotonic() < end:
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


@dataclass(frozen=True, slots=True)
class Busy:
    """The seconds that queries took before and while records came in, and how many did in a second."""

    rest: Mapping[str, float]
    times: Mapping[str, float]
    rate: float


def measure_busy(data: Path, asked: Mapping[str, Case], cores: set[int], end_us: int, seconds: float) -> Busy:
    """Ask a hub at rest, then while records come in."""
    os.sched_setaffinity(0, cores)  # what the threads of the hub begin with

    with copied(data) as copy, opened(copy) as store, taking_in(store, copy) as port:
        store._engine.execute("SET threads = 1")  # else a query takes the other cores, too
        os.sched_setaffinity(0, {max(cores)})  # of this thread alone
        rest = measure(asked, lambda case: case.ask(store), 3, time.perf_counter)

        with Arrivals(port, _RATE, end_us + _US, cores) as arrivals:
            times = measure(asked, lambda case: case.ask(store), 3, time.perf_counter, seconds)

    return Busy(rest, times, arrivals.rate)


def print_table(
    asked: Mapping[str, Case],
    yardstick: float,
    warm: Mapping[str, float],
    busy: Busy,
    others: Mapping[str, Mapping[str, float]],
) -> None:
    """Print the ratios to F, how much longer it takes while records come in, and the milliseconds of a warm store."""
    print(f"\n| query | wanted | warm | + ingest | × at rest | {' | '.join(others)} | warm, ms |")
    print(f"|{'---|' * (len(others) + 6)}")

    for name, case in asked.items():
        ratios = [f"{column[name] / yardstick:.3f}" if name in column else "" for column in others.values()]
        wanted = "shown" if case.bound is None else f"≤ {case.bound} F"
        slower = f"{busy.times[name] / yardstick:.3f} | {busy.times[name] / busy.rest[name]:.1f}"
        shown = f"{wanted} | {warm[name] / yardstick:.3f} | {slower} | {' | '.join(ratios)}"
        print(f"| {name} | {shown} | {warm[name] * 1e3:.1f} |")


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
        quick, cache = options.quick, options.cache or Path(scratch)
        main(200_000 if quick else options.events, 3 if quick else 9, 5.0 if quick else _BUSY_S, cache)
