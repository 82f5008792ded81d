"""What a logging call costs: loghub beside its peers, one line with five extras each.

Each case lives in a process of its own (some replace parts of logging); all of them are alive at once and are
measured in turns, round by round, so that a busy machine is busy for each of them. Figures are medians of the rounds.
A peer that is not installed is left out. What is measured: the wall time of the call (mean, p50, p99) and the CPU
of the whole process per record, threads that write later included.

    pip install python-json-logger orjson msgspec structlog loguru picologging concurrent-log-handler opentelemetry-sdk
    python tests/benchmarks/emit.py [--quick] [--only TEXT] [--memory]
"""

import argparse
import contextlib
import gc
import importlib.metadata
import json
import logging
import logging.handlers
import os
import platform
import queue
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

Call = Callable[[], Any]
"""Logs one record."""

Case = Callable[[Path], tuple[Call, Call]]
"""Sets a case up in a directory; gives the call to measure, and one that waits until all of it is written."""

EXTRA = {"order_id": 4711, "sku": "B-2210", "amount": 129.9, "cached": False, "user": "u-77f1"}
MESSAGE = "order paid"
MASK = ["password", "card_*", {"pattern": "email"}]
HUGE = 1_000_000_000
FIELDS = ["levelname", "name", "message", "process", "threadName", "module", "funcName", "pathname", "lineno"]

SCENES = {
    "1 thread": (1, 0),
    "1 thread, two busy ones beside it": (1, 2),
    "8 threads": (8, 0),
    "8 threads, two busy ones beside them": (8, 2),
}
"""Threads that log, threads that compute."""


# The cases.


def standard(handler: logging.Handler, formatter: logging.Formatter | None = None) -> tuple[Call, Call]:
    """Give calls of the standard library's logger with this handler."""
    logger = logging.getLogger("shop.checkout")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)

    if formatter is not None:
        handler.setFormatter(formatter)

    return lambda: logger.info(MESSAGE, extra=EXTRA), handler.flush


def null_handler(_: Path) -> tuple[Call, Call]:
    return standard(logging.NullHandler())


def loghub_file(folder: Path, **options: Any) -> tuple[Call, Call]:
    loghub: Any = import_module("loghub")
    handler = loghub.JSONFileHandler(folder / "app.jsonl", rotate="64 MB", keep_files=1)
    return standard(handler, loghub.JSONFormatter(static={"service": "shop"}, **options))


def loghub_masked(folder: Path) -> tuple[Call, Call]:
    return loghub_file(folder, mask=MASK)


def loghub_bound(folder: Path) -> tuple[Call, Call]:
    import_module("loghub").bind(request_id="0af7651916cd43dd8448eb211c80319c", tenant="acme")
    return loghub_file(folder)


def loghub_four(folder: Path, *, alike: bool = True, **options: Any) -> tuple[Call, Call]:
    """File, remote, broadcast, and a console in JSON."""
    loghub: Any = import_module("loghub")
    console = loghub.ConsoleHandler((folder / "console.jsonl").open("w"), style="json")
    file = loghub.JSONFileHandler(folder / "app.jsonl", rotate="64 MB", keep_files=1)
    remote = loghub.RemoteHandler(os.environ["SINK"])
    handlers = [file, remote, loghub.BroadcastHandler(), console]

    for number, handler in enumerate(handlers):
        mark = {} if alike else {"variant": number}
        call, _ = standard(handler, loghub.JSONFormatter(static={"service": "shop"} | mark, **options))

    return call, lambda: remote.flush(5)


def loghub_four_apart(folder: Path) -> tuple[Call, Call]:
    return loghub_four(folder, alike=False)


def loghub_four_masked(folder: Path) -> tuple[Call, Call]:
    return loghub_four(folder, mask=MASK)


def loghub_four_masked_apart(folder: Path) -> tuple[Call, Call]:
    return loghub_four(folder, alike=False, mask=MASK)


def loghub_spooled(folder: Path) -> tuple[Call, Call]:
    loghub: Any = import_module("loghub")
    handler = loghub.RemoteHandler(os.environ["SINK"], spool=folder / "spool")
    return standard(handler, loghub.JSONFormatter(static={"service": "shop"}))[0], lambda: handler.flush(10)


def loghub_written(folder: Path) -> tuple[Call, Call]:
    """Write the same line with one `os.write`, which lets go of the GIL."""
    loghub: Any = import_module("loghub")
    formatter = loghub.JSONFormatter(static={"service": "shop"})
    descriptor = os.open(folder / "app.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    class Writing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            os.write(descriptor, formatter.format_line(record))

    return standard(Writing())


def rotating(folder: Path) -> logging.Handler:
    return logging.handlers.RotatingFileHandler(folder / "app.jsonl", maxBytes=64_000_000, backupCount=1)


def python_json_logger(encoder: str) -> Case:
    def make(folder: Path) -> tuple[Call, Call]:
        return standard(rotating(folder), pjl_formatter(encoder))

    return make


def pjl_formatter(encoder: str) -> logging.Formatter:
    """Give python-json-logger's formatter for the fields that loghub writes."""
    kind = {"json": "JsonFormatter", "orjson": "OrjsonFormatter", "msgspec": "MsgspecFormatter"}[encoder]
    static = {"service": "shop", "hostname": platform.node()}
    made: Any = getattr(import_module(f"pythonjsonlogger.{encoder}"), kind)
    formatter: logging.Formatter = made(FIELDS, timestamp=True, static_fields=static)
    return formatter


def concurrent_log_handler(folder: Path) -> tuple[Call, Call]:
    kind: Any = import_module("concurrent_log_handler").ConcurrentRotatingFileHandler
    return standard(kind(str(folder / "app.jsonl"), maxBytes=64_000_000, backupCount=1), pjl_formatter("orjson"))


def queue_handler(folder: Path) -> tuple[Call, Call]:
    """As `dictConfig` and the documentation of `logging` have it: a `queue.Queue` without a bound."""
    return queued(folder, queue.Queue(-1))


def simple_queue_handler(folder: Path) -> tuple[Call, Call]:
    return queued(folder, queue.SimpleQueue())


def queued(folder: Path, waiting: Any) -> tuple[Call, Call]:
    target = rotating(folder)
    target.setFormatter(pjl_formatter("orjson"))
    logging.handlers.QueueListener(waiting, target).start()

    def drain() -> None:
        while not waiting.empty():
            time.sleep(0.001)

    return standard(logging.handlers.QueueHandler(waiting))[0], drain


def structlog_native(folder: Path) -> tuple[Call, Call]:
    structlog: Any = import_module("structlog")
    dumps = import_module("orjson").dumps
    file = (folder / "app.jsonl").open("wb")

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(file),
        cache_logger_on_first_use=True,
    )
    logger = structlog.get_logger().bind()
    return lambda: logger.info(MESSAGE, **EXTRA), file.flush


def structlog_through_stdlib(folder: Path) -> tuple[Call, Call]:
    structlog: Any = import_module("structlog")
    dumps = import_module("orjson").dumps
    place = structlog.processors.CallsiteParameterAdder(
        structlog.processors.CallsiteParameter[name]
        for name in ("PROCESS", "THREAD_NAME", "MODULE", "FUNC_NAME", "PATHNAME", "LINENO")
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            place,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    render = structlog.processors.JSONRenderer(serializer=lambda fields, **_: dumps(fields).decode())
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    _, drain = standard(rotating(folder), structlog.stdlib.ProcessorFormatter(processors=[clean, render]))
    logger = structlog.get_logger("shop.checkout").bind()
    return lambda: logger.info(MESSAGE, **EXTRA), drain


def loguru_serialize(folder: Path) -> tuple[Call, Call]:
    logger: Any = import_module("loguru").logger
    logger.remove()
    logger.add(folder / "app.jsonl", serialize=True, rotation="64 MB")
    return lambda: logger.info(MESSAGE, **EXTRA), lambda: None


def picologging_text(folder: Path) -> tuple[Call, Call]:
    picologging: Any = import_module("picologging")
    handlers: Any = import_module("picologging.handlers")
    handler = handlers.RotatingFileHandler(str(folder / "app.log"), maxBytes=64_000_000, backupCount=1)
    names = [
        "asctime",
        "levelname",
        "name",
        "process",
        "threadName",
        "module",
        "funcName",
        "pathname",
        "lineno",
        "message",
    ]
    handler.setFormatter(picologging.Formatter(" ".join(f"%({name})s" for name in names)))
    logger = picologging.getLogger("shop.checkout")
    logger.setLevel(picologging.INFO)
    logger.addHandler(handler)
    text = MESSAGE + " order_id=%s sku=%s amount=%s cached=%s user=%s"
    values = tuple(EXTRA.values())
    return lambda: logger.info(text, *values), handler.flush


def opentelemetry_batch(_: Path) -> tuple[Call, Call]:
    logs: Any = import_module("opentelemetry.sdk._logs")
    export: Any = import_module("opentelemetry.sdk._logs.export")

    class Nowhere(export.LogRecordExporter):  # type: ignore[misc]  # a class of an untyped package
        def export(self, _batch: Any) -> Any:
            return export.LogRecordExportResult.SUCCESS

        def shutdown(self) -> None:
            pass

        def force_flush(self, _timeout: int = 0) -> bool:
            return True

    provider = logs.LoggerProvider()
    provider.add_log_record_processor(export.BatchLogRecordProcessor(Nowhere()))
    return standard(logs.LoggingHandler(level=logging.INFO, logger_provider=provider))[0], provider.force_flush


NULL = "NullHandler, the floor"
OURS = "**loghub** JSONFileHandler"
SPOOLED = "**loghub** RemoteHandler with a spool"
WRITTEN = "a bare handler: loghub's line, one os.write"
QUEUED = "the same (orjson) behind QueueHandler"
OTEL = "OpenTelemetry SDK, batch processor, no export"
FOUR = "**loghub** file + remote + broadcast + console"
APART, MASKED = ", formatters apart", ", masked"
NATIVE = "structlog, BytesLogger; no caller, no process"
TEXT = "picologging, plain text"
PJL = "python-json-logger ({}) + RotatingFileHandler"

CASES: dict[str, Case] = {
    NULL: null_handler,
    OURS: loghub_file,
    SPOOLED: loghub_spooled,
    WRITTEN: loghub_written,
    "**loghub**, two values bound": loghub_bound,
    "**loghub**, masked": loghub_masked,
    FOUR: loghub_four,
    FOUR + APART: loghub_four_apart,
    FOUR + MASKED: loghub_four_masked,
    FOUR + MASKED + APART: loghub_four_masked_apart,
    NATIVE: structlog_native,
    TEXT: picologging_text,
    **{PJL.format(encoder): python_json_logger(encoder) for encoder in ("json", "orjson", "msgspec")},
    QUEUED: queue_handler,
    QUEUED + " with a SimpleQueue": simple_queue_handler,
    "concurrent-log-handler + orjson": concurrent_log_handler,
    "structlog through stdlib (orjson)": structlog_through_stdlib,
    "loguru, serialize": loguru_serialize,
    OTEL: opentelemetry_batch,
}


# In the process of a case.


def serve_case(name: str) -> None:
    """Set the case up, then measure as often as asked on standard input."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            call, drain = CASES[name](Path(folder))
        except Exception as error:  # noqa: BLE001 (a peer that is missing, or that this Python cannot run)
            print(json.dumps({"missing": f"{type(error).__name__}: {error}"}), flush=True)
            return

        print(json.dumps({}), flush=True)

        for line in sys.stdin:
            asked = json.loads(line)
            found = memory(call, asked["records"]) if asked.get("memory") else measure(call, drain, **asked)
            print(json.dumps(found), flush=True)


def measure(call: Call, drain: Call, records: int, threads: int, busy: int) -> dict[str, float]:
    """Measure the caller's time and the CPU, in microseconds per record."""
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

    every = sorted(taken for found in times for taken in found)

    return {
        "mean": statistics.fmean(every) / 1000,
        "p50": every[len(every) // 2] / 1000,
        "p99": every[len(every) * 99 // 100] / 1000,
        "cpu": 0.0 if busy else cpu / len(every) * 1e6,
    }


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


def memory(call: Call, records: int) -> dict[str, float]:
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


# In the process that compares.


class Child:
    """The process of one case."""

    def __init__(self, name: str, sink: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--case", name],
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


Results = dict[str, dict[str, list[dict[str, float]]]]
"""Rounds by scene and case."""


def compare(children: list[Child], *, quick: bool) -> Results:
    rounds, records = (5, 4_000) if quick else (6, 5_000)
    found: Results = {scene: {child.name: [] for child in children} for scene in SCENES}

    for child in children:
        child.ask(records=records // 4, threads=1, busy=0)  # warm

    for number in range(rounds):
        for scene, (threads, busy) in SCENES.items():
            if scene != "1 thread" and (quick or number >= 1):
                continue

            for child in children:
                if threads > 1 and child.name == TEXT:
                    continue  # picologging 0.9.3 hangs there

                some = records // (10 * threads) if busy else records  # one that writes waits for the busy ones
                found[scene][child.name].append(child.ask(records=some, threads=threads, busy=busy))

    return found


def print_tables(found: Results) -> None:
    for scene, cases in found.items():
        if not cases[NULL]:
            continue  # a quick run

        busy = SCENES[scene][1]
        print(f"\n{scene}, µs per record:\n")
        print("| case | mean | p50 | p99 | CPU in all | p50 × NullHandler |\n|---|---|---|---|---|---|")

        for name, rounds in cases.items():
            if not rounds:
                continue

            mean, p50, p99, cpu = (middle(rounds, key) for key in ("mean", "p50", "p99", "cpu"))
            cost = "" if busy else f"{cpu:.1f}"
            times = ratio(cases, name, NULL, "p50")
            print(f"| {name} | {mean:.1f} | {p50:.1f} | {p99:.1f} | {cost} | {times:.2f} |")


def print_ratios(found: Results) -> None:
    cases = found["1 thread"]
    pairs = [name for name in cases if name.startswith("python-json-logger")]
    fastest = min(pairs, key=lambda name: middle(cases[name], "p50"), default="")
    print("\n| what | ratio of p50 | of the mean | wanted |\n|---|---|---|---|")

    for ours, theirs, wanted in (
        (OURS, NULL, "≤ 2.2"),
        (SPOOLED, NULL, "≤ 2.2"),
        (SPOOLED, QUEUED, "≤ 0.55"),
        (SPOOLED, OTEL, "≤ 0.4"),
        (OURS, fastest, "≤ 0.35"),
        (OURS, TEXT, "< 1"),
        (OURS, NATIVE, "shown"),
        ("**loghub**, masked", OURS, "shown"),
        (FOUR, OURS, "shown"),
        (FOUR, FOUR + APART, "shown"),
        (FOUR + MASKED, FOUR + MASKED + APART, "shown"),
    ):
        if ours in cases and theirs in cases:
            p50, mean = (ratio(cases, ours, theirs, key) for key in ("p50", "mean"))
            print(f"| {ours} / {theirs} | {p50:.2f} | {mean:.2f} | {wanted} |")

    crowded = found["1 thread, two busy ones beside it"]

    if crowded.get(SPOOLED) and crowded.get(WRITTEN):
        print(f"\np99 beside two busy threads, {SPOOLED} / {WRITTEN}: {ratio(crowded, SPOOLED, WRITTEN, 'p99'):.2f}")


def middle(rounds: list[dict[str, float]], key: str) -> float:
    return statistics.median(one[key] for one in rounds)


def ratio(cases: dict[str, list[dict[str, float]]], ours: str, theirs: str, key: str) -> float:
    """Give the median over the rounds of one case's figure by another's in the same round."""
    if theirs not in cases:
        return float("nan")

    return statistics.median(a[key] / b[key] for a, b in zip(cases[ours], cases[theirs], strict=True))


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
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="one thread only, fewer rounds of fewer records")
    parser.add_argument(
        "--only", default="", help="cases that have one of these words, beside the floor: 'loghub,pico'"
    )
    parser.add_argument("--memory", action="store_true", help="instead: how memory grows over a million records")
    options = parser.parse_args()

    if options.case:
        serve_case(options.case)
        return

    wanted = [name for name in CASES if name == NULL or any(word in name for word in options.only.split(","))]

    with sink() as address:
        children = [Child(name, address) for name in wanted]
        present = [child for child in children if not child.missing]

        if options.memory:
            for child in present:
                grown = child.ask(memory=True, records=1_000_000)
                print(f"{child.name}: traced {grown['traced']:+.0f} KB, peak resident {grown['resident']:+.0f} KB")

        else:
            found = compare(present, quick=options.quick)
            print(versions())
            print_ratios(found)
            print_tables(found)

        for child in children:
            print(f"\nLeft out: {child.name}: {child.missing}" if child.missing else "", end="")
            child.end()

    print()


if __name__ == "__main__":
    main()
