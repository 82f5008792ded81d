"""An application that logs 2 000 records a second and writes down each call that has returned, until SIGTERM.

Arguments: the sender, the receiver's port, the file of what returned, its name, a folder that is kept for the next one.
Each sender is set up as its documentation has it; where it can keep records on a disk, it does.
"""

import atexit
import logging
import logging.handlers
import os
import queue
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from loghub.handlers.remote import RemoteHandler

Make = Callable[[int, Path], logging.Handler]
_RATE = 2000
_PERIOD = 0.01


def spool(port: int, folder: Path) -> logging.Handler:
    """Make loghub's, with a spool."""
    return RemoteHandler(f"http://127.0.0.1:{port}", spool=str(folder / "spool"), exit_deadline="20 s")


def memory(port: int, _folder: Path) -> logging.Handler:
    """Make loghub's, in memory."""
    return RemoteHandler(f"http://127.0.0.1:{port}", exit_deadline="20 s")


def http(port: int, _folder: Path) -> logging.Handler:
    """Make the standard library's pair; its listener has a thread and is stopped at exit, which sends the rest."""
    logging.raiseExceptions = False
    waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    target = logging.handlers.HTTPHandler(f"127.0.0.1:{port}", "/logs", method="POST")
    listener = logging.handlers.QueueListener(waiting, target)
    listener.start()
    atexit.register(listener.stop)
    return logging.handlers.QueueHandler(waiting)


def logstash(port: int, folder: Path) -> logging.Handler:
    """Make python-logstash-async's, with a database that the next process takes over."""
    made: Any = import_module("logstash_async.handler").AsynchronousLogstashHandler(
        "127.0.0.1", port, database_path=str(folder / "logstash.db")
    )
    made.setFormatter(import_module("logstash_async.formatter").LogstashFormatter())
    return made  # type: ignore[no-any-return]


def otlp(port: int, _folder: Path) -> logging.Handler:
    """Make the OpenTelemetry SDK's; its provider is shut down at exit, which sends the rest."""
    logs: Any = import_module("opentelemetry.sdk._logs")
    export: Any = import_module("opentelemetry.sdk._logs.export")
    exporter: Any = import_module("opentelemetry.exporter.otlp.proto.http._log_exporter")
    provider = logs.LoggerProvider()
    endpoint = f"http://127.0.0.1:{port}/v1/logs"
    provider.add_log_record_processor(export.BatchLogRecordProcessor(exporter.OTLPLogExporter(endpoint=endpoint)))
    return logs.LoggingHandler(logger_provider=provider)  # type: ignore[no-any-return]


_MAKERS: dict[str, Make] = {"spool": spool, "memory": memory, "http": http, "logstash": logstash, "otlp": otlp}


def main(kind: str, port: int, side: str, name: str, folder: str, rate: int = _RATE) -> None:
    """Log until SIGTERM, then end in order; at a rate of 0 one record only."""
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    logger = logging.getLogger(name)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(_MAKERS[kind](port, Path(folder)))
    returned = os.open(side, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    number, burst = 0, 1

    while not ended:
        for _ in range(burst):
            number += 1
            logger.info("%s", f"{name}.{number}")
            os.write(returned, f"{name}.{number}\n".encode())

        burst = round(rate * _PERIOD)
        time.sleep(_PERIOD)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5], int(sys.argv[6]))
