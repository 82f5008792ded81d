"""What 200 live tails cost a hub, and whether each has what it asked for: `python tests/benchmarks/tail.py`.

Events are offered to a real hub at a fixed rate, in turns without a tail and with 200 of different queries, which
another process holds. The hub's CPU is counted, and how long it took to acknowledge a batch. In the end each tail is
asked how many events it had, and how many it was told it had been moved past; the hub's search counts how many match:
the two must be equal, and no event may come twice or out of order. It ends with an error where they are not.

Before, the look-up of who asked for an event is timed by itself (`tail_dispatch.py`).
"""

import argparse
import http.client
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import uvicorn
from benchmarks.events import LOGGERS, SERVICES, lines
from benchmarks.tail_dispatch import measure

from processes import HubProcess

_TICK = os.sysconf("SC_CLK_TCK")
_BATCH = 200
_SENDERS = 4
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Phase:
    """One turn.

    Attributes:
        events: how many were acknowledged.
        wall: seconds that it took to offer them and have them acknowledged.
        cpu: seconds of the hub's.
        acks: seconds until each batch was acknowledged.
    """

    events: int
    wall: float
    cpu: float
    acks: Sequence[float]
    tails: dict[str, Any] | None = None


def queries() -> list[str]:
    """Give 200 queries: a logger, a service and a level or a number, a user, a request, a phrase; a few broad ones."""
    verbs = ("charge", "reserve", "load", "send", "refresh", "verify", "render", "store", "cancel", "rank")
    found = [f"logger:{name}" for name in LOGGERS]
    found += [f"service:{name} level>={level}" for name in SERVICES for level in ("warning", "error")]
    found += [f"service:{name} duration_ms>200" for name in SERVICES]
    found += [f"service:({name} OR web) -cached:true bytes>500000" for name in SERVICES[:11]]
    found += [f"user_id:{number * 1000 + 7}" for number in range(40)]
    found += [f"request_id:{number:016x}" for number in range(25)]
    found += [f'"{verb} {noun}"' for verb in verbs for noun in ("order", "session", "page")]
    found += ["level>=error", "level>=critical", "exc_info:*", "status:500 OR status:503", "order_id:o-1*", "tags:vip"]
    found += ["coupon:*", "-service:api level:debug cart.items:3"]
    found += [f"{name} timeout upstream" for name in SERVICES]
    return [*found[:199], ""]


@contextmanager
def followers(hub: HubProcess, asked: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    """Run the process that follows."""
    command = [sys.executable, str(_HERE / "tail_followers.py"), str(hub.port)]

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            tell(process, asked)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def tell(process: "subprocess.Popen[str]", words: Sequence[object]) -> None:
    """Say something to the process that follows."""
    assert process.stdin is not None
    process.stdin.write(json.dumps(words) + "\n")
    process.stdin.flush()


def offer(hub: HubProcess, made: Sequence[bytes], rate: int, turn: int) -> Phase:
    """Offer lines at a rate, or as fast as they are taken where it is 0."""
    starts = iter(range(0, len(made), _BATCH))
    acks: list[float] = []
    accepted: list[int] = []
    before, began = cpu_of(hub), time.perf_counter()

    def send() -> None:
        link = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=60)

        for start in starts:
            time.sleep(max(0.0, began + start / rate - time.perf_counter()) if rate else 0)
            mark = f',"turn":{turn},"sent":{time.time():.6f}}}\n'.encode()
            body = b"".join(line[:-2] + mark for line in made[start : start + _BATCH])
            sent = time.perf_counter()
            link.request("POST", "/api/v1/ingest", body, {"Content-Type": "application/x-ndjson"})
            answer = json.load(link.getresponse())
            acks.append(time.perf_counter() - sent)
            accepted.append(answer["accepted"])

        link.close()

    threads = [threading.Thread(target=send) for _ in range(_SENDERS)]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    return Phase(sum(accepted), time.perf_counter() - began, cpu_of(hub) - before, acks)


def followed(hub: HubProcess, made: Sequence[bytes], rate: int, turn: int, asked: Sequence[str]) -> Phase:
    """Offer lines while there are tails; each must have what it asked for."""
    with followers(hub, asked) as process:
        phase = offer(hub, made, rate, turn)
        expected = [count(hub, query, turn) for query in asked]
        tell(process, expected)
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())

    wrong = [
        (query, number, tail)
        for query, number, tail in zip(asked, expected, told["followers"], strict=True)
        if tail["delivered"] + tail["skipped"] != number or tail["disorder"]
    ]
    assert not wrong, f"delivered + skipped is not what matches: {wrong[:5]}"
    return Phase(phase.events, phase.wall, phase.cpu, phase.acks, told)


def count(hub: HubProcess, query: str, turn: int) -> int:
    """Count the events of a turn that match."""
    ((number,),) = hub.get("search", query=f"({query}) turn:{turn} | count" if query else f"turn:{turn} | count")[
        "rows"
    ]
    return int(number)


def cpu_of(hub: HubProcess) -> float:
    """Give the CPU seconds that the hub and its threads have used."""
    assert hub._process is not None
    fields = Path(f"/proc/{hub._process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=10_000, help="events in a second; 0 as fast as they are taken")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of 3 seconds")
    options = parser.parse_args()
    seconds, rounds = (3, 1) if options.quick else (options.seconds, options.rounds)
    made = list(lines((options.rate or 10_000) * seconds))
    asked = queries()
    assert len(set(asked)) == 200
    show_dispatch(made[:10_000], asked, rounds)
    alone: list[Phase] = []
    watched: list[Phase] = []

    with tempfile.TemporaryDirectory() as data, HubProcess(Path(data)) as hub:
        offer(hub, made[:20_000], 0, 0)  # warm

        for turn in range(1, rounds + 1):
            alone.append(offer(hub, made, options.rate, 2 * turn))
            watched.append(followed(hub, made, options.rate, 2 * turn + 1, asked))

    show(made, options.rate, alone, watched)


def show_dispatch(made: Sequence[bytes], asked: Sequence[str], rounds: int) -> None:
    """Print what it costs to find who asked, for 50 who name a service, and for all."""
    by_service = [query for query in asked if query.startswith("service:")][:50]
    print("\n| subscribers | found for an event | look-up, ms for 1,000 events | testing each query, ms |")
    print("|---|---|---|---|")

    for group in (by_service, asked):
        cost = measure(made, group, rounds)
        print(f"| {cost.queries} | {cost.found:.2f} | {cost.looked_up:.2f} | {cost.tested:.1f} |")


def show(made: Sequence[bytes], rate: int, alone: Sequence[Phase], watched: Sequence[Phase]) -> None:
    """Print what came out."""
    offered = f"{rate:,} events/s offered" if rate else "offered as fast as they are taken"
    size = sum(map(len, made)) // len(made)
    print(f"\n{offered}, {size} bytes each; medians of {len(alone)} turns; CPython {platform.python_version()},")
    print(f"uvicorn {uvicorn.__version__}, websockets {version('websockets')}, {os.cpu_count()} cores\n")
    print("| tails | stored events/s | of those without | hub's CPU, µs an event | 200 acknowledged, p50 ms | p99 ms |")
    print("|---|---|---|---|---|---|")
    base = statistics.median(phase.events / phase.wall for phase in alone)

    for name, phases in (("0", alone), ("200", watched)):
        speed = statistics.median(phase.events / phase.wall for phase in phases)
        cpu = statistics.median(phase.cpu / phase.events * 1e6 for phase in phases)
        p50 = statistics.median(share(phase.acks, 0.5) * 1e3 for phase in phases)
        p99 = statistics.median(share(phase.acks, 0.99) * 1e3 for phase in phases)
        print(f"| {name} | {speed:,.0f} | {speed / base:.1%} | {cpu:.1f} | {p50:.1f} | {p99:.1f} |")

    print("\n| events delivered | counted in gaps | missing, twice or in disorder | frames | latency p50 ms | p99 ms |")
    print("|---|---|---|---|---|---|")

    for phase in watched:
        assert phase.tails is not None
        sums = {key: sum(tail[key] for tail in phase.tails["followers"]) for key in phase.tails["followers"][0]}
        p50, p99 = (share(phase.tails["delays"], part) * 1e3 for part in (0.5, 0.99))
        print(f"| {sums['delivered']:,} | {sums['skipped']:,} | 0 | {sums['frames']:,} | {p50:.0f} | {p99:.0f} |")

    print(f"\nThe process that follows took {watched[-1].tails['cpu']:.1f} s of CPU." if watched[-1].tails else "")


def share(values: Sequence[float], part: float) -> float:
    """Give the value below which that part of the values lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


if __name__ == "__main__":
    main()
