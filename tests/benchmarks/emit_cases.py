"""The cases of `emit.py`: loghub's handlers and their peers, each writing one line with five extras for a record."""

import logging
import logging.handlers
import os
import platform
import queue
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

Call = Callable[[], Any]
"""Logs one record."""

Drain = Callable[[], int | None]
"""Waits until all is handed over; gives how many records were, so far, where some may be thrown away."""

Case = Callable[[Path], tuple[Call, Drain]]
"""Sets a case up in a directory; gives the call to measure."""

EXTRA = {"order_id": 4711, "sku": "B-2210", "amount": 129.9, "cached": False, "user": "u-77f1"}
MESSAGE = "order paid"
MASK = ["password", "card_*", {"pattern": "email"}]
HUGE = 1_000_000_000
FIELDS = ["levelname", "name", "message", "process", "threadName", "module", "funcName", "pathname", "lineno"]


def standard(handler: logging.Handler, formatter: logging.Formatter | None = None) -> tuple[Call, Drain]:
    """Give calls of the standard library's logger with this handler."""
    logger = logging.getLogger("shop.checkout")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)

    if formatter is not None:
        handler.setFormatter(formatter)

    return lambda: logger.info(MESSAGE, extra=EXTRA), handler.flush


def null_handler(_: Path) -> tuple[Call, Drain]:
    return standard(logging.NullHandler())


def loghub_file(folder: Path, **options: Any) -> tuple[Call, Drain]:
    loghub: Any = import_module("loghub")
    handler = loghub.JSONFileHandler(folder / "app.jsonl", rotate="64 MB", keep_files=1)
    return standard(handler, loghub.JSONFormatter(static={"service": "shop"}, **options))


def loghub_masked(folder: Path) -> tuple[Call, Drain]:
    return loghub_file(folder, mask=MASK)


def loghub_bound(folder: Path) -> tuple[Call, Drain]:
    import_module("loghub").bind(request_id="0af7651916cd43dd8448eb211c80319c", tenant="acme")
    return loghub_file(folder)


def loghub_four(folder: Path, *, alike: bool = True, **options: Any) -> tuple[Call, Drain]:
    """File, remote, broadcast, and a console in JSON."""
    loghub: Any = import_module("loghub")
    console = loghub.ConsoleHandler((folder / "console.jsonl").open("w"), style="json")
    file = loghub.JSONFileHandler(folder / "app.jsonl", rotate="64 MB", keep_files=1)
    remote = loghub.RemoteHandler(os.environ["SINK"])
    handlers = [file, remote, loghub.BroadcastHandler(), console]

    for number, handler in enumerate(handlers):
        mark = {} if alike else {"variant": number}
        call, _ = standard(handler, loghub.JSONFormatter(static={"service": "shop"} | mark, **options))

    return call, lambda: None if remote.flush(60) else 0


def loghub_four_apart(folder: Path) -> tuple[Call, Drain]:
    return loghub_four(folder, alike=False)


def loghub_four_masked(folder: Path) -> tuple[Call, Drain]:
    return loghub_four(folder, mask=MASK)


def loghub_four_masked_apart(folder: Path) -> tuple[Call, Drain]:
    return loghub_four(folder, alike=False, mask=MASK)


def loghub_spooled(folder: Path) -> tuple[Call, Drain]:
    loghub: Any = import_module("loghub")
    handler = loghub.RemoteHandler(os.environ["SINK"], spool=folder / "spool")

    def drain() -> int:
        assert handler.flush(60)
        acked: int = handler.counters.acked
        return acked

    return standard(handler, loghub.JSONFormatter(static={"service": "shop"}))[0], drain


def loghub_written(folder: Path) -> tuple[Call, Drain]:
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
    def make(folder: Path) -> tuple[Call, Drain]:
        return standard(rotating(folder), pjl_formatter(encoder))

    return make


def pjl_formatter(encoder: str) -> logging.Formatter:
    """Give python-json-logger's formatter for the fields that loghub writes."""
    kind = {"json": "JsonFormatter", "orjson": "OrjsonFormatter", "msgspec": "MsgspecFormatter"}[encoder]
    static = {"service": "shop", "hostname": platform.node()}
    made: Any = getattr(import_module(f"pythonjsonlogger.{encoder}"), kind)
    formatter: logging.Formatter = made(FIELDS, timestamp=True, static_fields=static)
    return formatter


def concurrent_log_handler(folder: Path) -> tuple[Call, Drain]:
    kind: Any = import_module("concurrent_log_handler").ConcurrentRotatingFileHandler
    return standard(kind(str(folder / "app.jsonl"), maxBytes=64_000_000, backupCount=1), pjl_formatter("orjson"))


def queue_handler(folder: Path) -> tuple[Call, Drain]:
    """As `dictConfig` and the documentation of `logging` have it: a `queue.Queue` without a bound."""
    return queued(folder, queue.Queue(-1))


def simple_queue_handler(folder: Path) -> tuple[Call, Drain]:
    return queued(folder, queue.SimpleQueue())


def queued(folder: Path, waiting: Any) -> tuple[Call, Drain]:
    target = rotating(folder)
    target.setFormatter(pjl_formatter("orjson"))
    logging.handlers.QueueListener(waiting, target).start()

    def drain() -> None:
        while not waiting.empty():
            time.sleep(0.001)

    return standard(logging.handlers.QueueHandler(waiting))[0], drain


def structlog_native(folder: Path) -> tuple[Call, Drain]:
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


def structlog_through_stdlib(folder: Path) -> tuple[Call, Drain]:
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


def loguru_serialize(folder: Path) -> tuple[Call, Drain]:
    logger: Any = import_module("loguru").logger
    logger.remove()
    logger.add(folder / "app.jsonl", serialize=True, rotation="64 MB")
    return lambda: logger.info(MESSAGE, **EXTRA), lambda: None


def picologging_text(folder: Path) -> tuple[Call, Drain]:
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


def opentelemetry_batch(_: Path) -> tuple[Call, Drain]:
    export: Any = import_module("opentelemetry.sdk._logs.export")
    taken = [0]

    class Nowhere(export.LogRecordExporter):  # type: ignore[misc]  # a class of an untyped package
        def export(self, batch: Any) -> Any:
            taken[0] += len(batch)
            return export.LogRecordExportResult.SUCCESS

        def shutdown(self) -> None:
            pass

        def force_flush(self, _timeout: int = 0) -> bool:
            return True

    return opentelemetry(Nowhere(), taken)


def opentelemetry_sent(_: Path) -> tuple[Call, Drain]:
    export: Any = import_module("opentelemetry.sdk._logs.export")
    otlp: Any = import_module("opentelemetry.exporter.otlp.proto.http._log_exporter")
    taken = [0]

    class Counted(otlp.OTLPLogExporter):  # type: ignore[misc]  # a class of an untyped package
        def export(self, batch: Any) -> Any:
            result = super().export(batch)
            taken[0] += len(batch) if result is export.LogRecordExportResult.SUCCESS else 0
            return result

    return opentelemetry(Counted(endpoint=os.environ["SINK"]), taken)


def opentelemetry(exporter: Any, taken: Sequence[int]) -> tuple[Call, Drain]:
    """Give calls of OpenTelemetry's handler; the exporter counts what it took."""
    logs: Any = import_module("opentelemetry.sdk._logs")
    export: Any = import_module("opentelemetry.sdk._logs.export")

    def drain() -> int:
        provider.force_flush()
        return taken[0]

    provider = logs.LoggerProvider()
    provider.add_log_record_processor(export.BatchLogRecordProcessor(exporter))
    return standard(logs.LoggingHandler(level=logging.INFO, logger_provider=provider))[0], drain


NULL = "NullHandler, the floor"
OURS = "**loghub** JSONFileHandler"
SPOOLED = "**loghub** RemoteHandler with a spool"
WRITTEN = "a bare handler: loghub's line, one os.write"
QUEUED = "the same (orjson) behind QueueHandler"
SIMPLE = QUEUED + " with a SimpleQueue"
OTEL = "OpenTelemetry SDK, batch processor, no export"
OTLP = "OpenTelemetry SDK, batch processor, OTLP over HTTP"
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
    SIMPLE: simple_queue_handler,
    "concurrent-log-handler + orjson": concurrent_log_handler,
    "structlog through stdlib (orjson)": structlog_through_stdlib,
    "loguru, serialize": loguru_serialize,
    OTEL: opentelemetry_batch,
    OTLP: opentelemetry_sent,
}
