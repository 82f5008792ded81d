"""How long a call to a file handler takes while other threads compute: `write: direct`, `write: async`, and the peers.

The caller logs bursts of ten lines with a pause of 5 ms between them, as a request handler does, while threads beside
it compute without end. Each case lives in a process of its own; all are alive at once and are measured in turns, round
by round. Figures are medians of the rounds, in microseconds of the call.

    pip install python-json-logger orjson loguru concurrent-log-handler
    python tests/benchmarks/latency.py [--quick]
"""

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import emit_cases as emit
from benchmarks.emit_child import busy_threads, timed

Case = Callable[[Path], Any]
Ask = Callable[..., dict[str, float]]

BURST, PAUSE = 10, 0.005
THREADS = (0, 1, 2, 4)
"""Threads that compute."""

CASES: dict[str, Case] = {
    "NullHandler, the floor": emit.null_handler,
    "**loghub**, write: direct": emit.loghub_file,
    "**loghub**, write: async": lambda folder: ours(folder, write="async"),
    "**loghub**, write: async, by_level": lambda folder: ours(folder, write="async", overflow="by_level"),
    "RotatingFileHandler + python-json-logger (orjson)": emit.python_json_logger("orjson"),
    "the same behind QueueHandler": emit.queue_handler,
    "concurrent-log-handler + orjson": emit.concurrent_log_handler,
    "loguru, serialize": emit.loguru_serialize,
}


def ours(folder: Path, **options: Any) -> Any:
    loghub: Any = import_module("loghub")
    handler = loghub.JSONFileHandler(folder / "app.jsonl", rotate="64 MB", keep_files=1, **options)
    return emit.standard(handler, loghub.JSONFormatter(static={"service": "shop"}))


def loguru_enqueue(folder: Path) -> Any:
    logger: Any = import_module("loguru").logger
    logger.remove()
    logger.add(folder / "app.jsonl", serialize=True, rotation="64 MB", enqueue=True)
    return lambda: logger.info(emit.MESSAGE, **emit.EXTRA), logger.complete


CASES["loguru, serialize, enqueue"] = loguru_enqueue


def measure(call: Callable[[], Any], drain: Callable[[], Any], records: int, busy: int) -> dict[str, float]:
    gc.collect()
    taken: list[int] = []

    with busy_threads(busy):
        for _ in range(records // BURST):
            timed(call, BURST, taken)
            time.sleep(PAUSE)

        drain()

    taken.sort()
    places = {"p50": 50, "p90": 90, "p99": 99}
    return {name: taken[len(taken) * place // 100] / 1000 for name, place in places.items()} | {"max": taken[-1] / 1000}


def serve(name: str) -> None:
    """Set a case up in this process, then measure as often as asked on standard input."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            call, drain = CASES[name](Path(folder))
            call()
        except Exception as error:  # noqa: BLE001 (a peer that is missing, or that this Python cannot run)
            print(json.dumps({"missing": f"{type(error).__name__}: {error}"}), flush=True)
            return

        print(json.dumps({}), flush=True)

        for line in sys.stdin:
            print(json.dumps(measure(call, drain, **json.loads(line))), flush=True)


@contextmanager
def children() -> Iterator[dict[str, Ask]]:
    """Start the process of each case; give what asks it, by their names."""
    processes = {
        name: subprocess.Popen(
            [sys.executable, __file__, "--case", name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for name in CASES
    }  # fmt: skip

    try:
        present: dict[str, Ask] = {}

        for name, process in processes.items():
            if missing := answer(process).get("missing"):
                print(f"Left out: {name}: {missing}")
            else:
                present[name] = partial(ask, process)

        yield present
    finally:
        for process in processes.values():
            process.communicate(timeout=30)


def ask(process: "subprocess.Popen[str]", **asked: int) -> dict[str, Any]:
    assert process.stdin is not None
    process.stdin.write(json.dumps(asked) + "\n")
    process.stdin.flush()
    return answer(process)


def answer(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.readline() or '{"missing": "it broke off"}')
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument(
        "--quick", action="store_true", help="two computing threads only, fewer rounds of fewer records"
    )
    options = parser.parse_args()

    if options.case:
        serve(options.case)
        return

    rounds, records, busy = (3, 500, (2,)) if options.quick else (7, 2000, THREADS)

    with children() as asked:
        found: dict[int, dict[str, list[dict[str, float]]]] = {number: {name: [] for name in asked} for number in busy}

        for _ in range(rounds):
            for number in busy:
                for name, child in asked.items():
                    found[number][name].append(child(records=records, busy=number))

    for number, cases in found.items():
        print(
            f"\n{number} threads compute beside the caller: microseconds of a call\n\n| | p50 | p90 | p99 | longest |"
        )
        print("|---|---|---|---|---|")

        for name, measured in cases.items():
            cells = (statistics.median(each[key] for each in measured) for key in ("p50", "p90", "p99", "max"))
            print(f"| {name} | " + " | ".join(f"{cell:,.0f}" for cell in cells) + " |")


if __name__ == "__main__":
    main()
