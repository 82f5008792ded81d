"""What a logging call costs: loghub beside its peers, one line with five extras each.

Each case lives in a process of its own (some replace parts of logging); all of them are alive at once and are
measured in turns, so that a busy machine is busy for each of them. A peer that is not installed is left out.

The scenes:

burst: many short rounds of some hundred calls from one thread, on the same processor in each process. What the call
    puts off is done behind its back: this is what a request handler sees that logs now and then.
sustained: calls without a pause for two seconds. A thread behind takes the interpreter from the caller meanwhile, so
    what it does falls on the call too; and it ends later than the calls do. Its listener, sender or exporter is at
    work as in life: python-json-logger and a RotatingFileHandler, a hub in another process, an exporter that does
    nothing, and one that sends.
crowds: several threads, or others beside them that compute.

A ratio is the median over the rounds of one case's figure by another's in the same round; in brackets its quartiles.
CPU is that of the whole process.

    pip install python-json-logger orjson msgspec structlog loguru picologging concurrent-log-handler \
        opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
    python tests/benchmarks/emit.py [--quick] [--only TEXT] [--memory]
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.emit_cases import (
    APART,
    CASES,
    FOUR,
    MASKED,
    NATIVE,
    NULL,
    OTEL,
    OTLP,
    OURS,
    PJL,
    QUEUED,
    SIMPLE,
    SPOOLED,
    TEXT,
    WRITTEN,
)

_CHILD = Path(__file__).with_name("emit_child.py")
_BUSY = "1 thread, two busy ones beside it"

CROWDS = {
    _BUSY: (1, 2),
    "8 threads": (8, 0),
    "8 threads, two busy ones beside them": (8, 2),
}
"""Threads that log, threads that compute."""

SUSTAINED = (NULL, OURS, SPOOLED, PJL.format("orjson"), QUEUED, SIMPLE, OTEL, OTLP)


class Child:
    """The process of one case."""

    def __init__(self, name: str, sink: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, str(_CHILD), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"SINK": sink},
        )
        self.missing = self._answer().get("missing")

    def ask(self, **asked: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        self._process.communicate(timeout=30)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"missing": "it broke off"}')
        return found


Rounds = dict[str, list[dict[str, float]]]
"""By case."""


def bursts(children: list[Child], *, quick: bool) -> Rounds:
    return in_turns(children, 40 if quick else 60, measure="burst", records=300)


def stretches(children: list[Child], *, quick: bool) -> Rounds:
    some = [child for child in children if child.name in SUSTAINED]
    return in_turns(some, 2 if quick else 5, measure="sustained", seconds=2.0)


def crowds(children: list[Child], *, quick: bool) -> dict[str, Rounds]:
    found = {}

    for scene, (threads, busy) in CROWDS.items():
        # picologging 0.9.3 hangs where several threads log. One that writes waits for the busy ones.
        some = [child for child in children if not quick and (threads == 1 or child.name != TEXT)]
        records = 500 // threads if busy else 5_000
        found[scene] = in_turns(some, 1, measure="crowd", records=records, threads=threads, busy=busy)

    # What is compared here is measured longer: a short run may end before a busy thread asks for its turn.
    few = [child for child in children if child.name in (NULL, SPOOLED, WRITTEN)]
    found[_BUSY] |= in_turns(few, 3, measure="crowd", records=2_000, threads=1, busy=2)
    return found


def in_turns(children: list[Child], rounds: int, **asked: Any) -> Rounds:
    found: Rounds = {child.name: [] for child in children}

    for _ in range(rounds):
        for child in children:
            found[child.name].append(child.ask(**asked))

    return found


def print_ratios(short: Rounds, long: Rounds) -> None:
    pairs = [name for name in short if name.startswith("python-json-logger")]
    fastest = min(pairs, key=lambda name: middle(short[name], "p50"), default="")
    print("\n| what | burst, p50 | burst, mean | sustained, mean | until handed over | wanted |")
    print("|---|---|---|---|---|---|")

    for ours, theirs, wanted in (
        (OURS, NULL, "≤ 2.2"),
        (SPOOLED, NULL, "≤ 2.2"),
        (SPOOLED, QUEUED, "≤ 0.55"),
        (SPOOLED, OTEL, "≤ 0.4"),
        (SPOOLED, OTLP, "≤ 0.4"),
        (OURS, fastest, "≤ 0.35"),
        (OURS, TEXT, "< 1"),
        (OURS, NATIVE, "shown"),
        ("**loghub**, masked", OURS, "shown"),
        (FOUR, OURS, "shown"),
        (FOUR, FOUR + APART, "shown"),
        (FOUR + MASKED, FOUR + MASKED + APART, "shown"),
    ):
        if ours in short and theirs in short:
            cells = [ratio(short, ours, theirs, key) for key in ("p50", "mean")]
            cells += [ratio(long, ours, theirs, key) for key in ("mean", "handed")]
            print(f"| {ours} / {theirs} | {' | '.join(cells)} | {wanted} |")


def print_bursts(found: Rounds) -> None:
    print("\nburst, µs per record:\n")
    print("| case | mean | p50 | p99 | CPU in all | p50 × NullHandler |\n|---|---|---|---|---|---|")

    for name, rounds in found.items():
        print(f"| {name} | {figures(rounds, 'mean', 'p50', 'p99', 'cpu')} | {ratio(found, name, NULL, 'p50')} |")


def print_stretches(found: Rounds) -> None:
    print("\nsustained, µs per record:\n")
    print("| case | mean of the call | until handed over | CPU in all | handed over | mean × NullHandler |")
    print("|---|---|---|---|---|---|")

    for name, rounds in found.items():
        share = f"{middle(rounds, 'share'):.0%}"
        times = ratio(found, name, NULL, "mean")
        print(f"| {name} | {figures(rounds, 'mean', 'handed', 'cpu')} | {share} | {times} |")


def print_crowds(found: dict[str, Rounds]) -> None:
    crowded = found[_BUSY]

    if crowded.get(SPOOLED) and crowded.get(WRITTEN):
        print(f"\np99 beside two busy threads, {SPOOLED} / {WRITTEN}: {ratio(crowded, SPOOLED, WRITTEN, 'p99')}")

    for scene, cases in found.items():
        if not cases:
            continue  # a quick run

        busy = CROWDS[scene][1]
        print(f"\n{scene}, µs per record:\n")
        print(
            f"| case | mean | p50 | p99 |{'' if busy else ' CPU in all |'}\n|---|---|---|---|{'' if busy else '---|'}"
        )

        for name, rounds in cases.items():
            print(f"| {name} | {figures(rounds, 'mean', 'p50', 'p99', *([] if busy else ['cpu']))} |")


def figures(rounds: list[dict[str, float]], *keys: str) -> str:
    return " | ".join(f"{middle(rounds, key):.1f}" for key in keys)


def middle(rounds: list[dict[str, float]], key: str) -> float:
    return statistics.median(one[key] for one in rounds)


def ratio(cases: Rounds, ours: str, theirs: str, key: str) -> str:
    """Give the median over the rounds of one case's figure by another's in the same round, and quartiles of many."""
    if not (cases.get(ours) and cases.get(theirs)):
        return ""

    ratios = [a[key] / b[key] for a, b in zip(cases[ours], cases[theirs], strict=True)]
    found = f"{statistics.median(ratios):.2f}"

    if len(ratios) < 10 or ours == theirs:
        return found

    low, _, high = statistics.quantiles(ratios, n=4)
    return f"{found} ({low:.2f}–{high:.2f})"


def versions() -> str:
    names = [
        "loghub",
        "python-json-logger",
        "orjson",
        "msgspec",
        "structlog",
        "loguru",
        "picologging",
        "concurrent-log-handler",
    ]
    found = []

    for name in [*names, "opentelemetry-sdk"]:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")

    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"CPython {platform.python_version()}, {machine}; {', '.join(found)}."


@contextlib.contextmanager
def sink() -> Iterator[str]:
    """Serve a hub that takes everything and keeps nothing."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'{"accepted": 0, "duplicate": 0, "quarantined": []}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and hardly any crowds")
    parser.add_argument(
        "--only", default="", help="cases that have one of these words, beside the floor: 'loghub,pico'"
    )
    parser.add_argument("--memory", action="store_true", help="instead: how memory grows over a million records")
    options = parser.parse_args()

    wanted = [name for name in CASES if name == NULL or any(word in name for word in options.only.split(","))]

    with sink() as address:
        children = [Child(name, address) for name in wanted]
        present = [child for child in children if not child.missing]

        if options.memory:
            for child in present:
                grown = child.ask(measure="memory", records=1_000_000)
                print(f"{child.name}: traced {grown['traced']:+.0f} KB, peak resident {grown['resident']:+.0f} KB")

        else:
            short, long = bursts(present, quick=options.quick), stretches(present, quick=options.quick)
            crowded = crowds(present, quick=options.quick)
            print(versions())
            print_ratios(short, long)
            print_bursts(short)
            print_stretches(long)
            print_crowds(crowded)

        for child in children:
            print(f"\nLeft out: {child.name}: {child.missing}" if child.missing else "", end="")
            child.end()

    print()


if __name__ == "__main__":
    main()
