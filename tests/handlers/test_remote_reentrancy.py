"""Records that come while others are under way: from __del__, signal handlers and httpx itself, and in a dictConfig."""

import gc
import logging
import logging.config
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from loghub.handlers.own_noise import is_own_thread
from loghub.handlers.remote import RemoteHandler

from scripted_hub import ScriptedHub, hang, scripted_hub, status

LOG = logging.getLogger("shop")
WAITS: dict[str, str] = {}


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    with scripted_hub() as made:
        yield made


@pytest.fixture(params=["memory", "spool"], autouse=True)
def waits(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Let records wait in memory, and on a disk."""
    if request.param == "spool":
        WAITS["spool"] = str(tmp_path / "spool")

    yield
    WAITS.clear()


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Give the root logger, as it was before afterwards."""
    logger = logging.getLogger()
    before = (logger.level, logger.handlers[:])
    yield logger

    after = logger.handlers
    logger.level, logger.handlers = before

    for handler in after:
        if handler not in before[1]:
            handler.close()


def configured(url: str, **options: Any) -> dict[str, Any]:
    handler = {"class": "loghub.RemoteHandler", "url": url, "linger": "5 ms", "exit_deadline": "100 ms", **WAITS}
    handler |= options
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"remote": handler},
        "root": {"level": "DEBUG", "handlers": ["remote"]},
    }


def handler_of(root: logging.Logger) -> RemoteHandler:
    return next(handler for handler in root.handlers if isinstance(handler, RemoteHandler))


def test_root_at_debug_does_not_loop_over_httpx(hub: ScriptedHub, root: logging.Logger) -> None:
    logging.config.dictConfig(configured(hub.url))
    assert logging.getLogger("httpcore").isEnabledFor(logging.DEBUG)

    for number in range(50):
        logging.getLogger("shop").info("%d", number)
        assert handler_of(root).flush(60)

    assert hub.messages == [str(number) for number in range(50)]


def test_what_httpx_says_of_our_requests_is_in_no_handler(hub: ScriptedHub, root: logging.Logger) -> None:
    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            names.append(record.name)

    names: list[str] = []
    logging.config.dictConfig(configured(hub.url))
    root.addHandler(Keeping())
    LOG.info("x")
    assert handler_of(root).flush(60)
    assert names == ["shop"]

    # The application's own requests are the application's own matter.
    with pytest.raises(httpx.ConnectError):
        httpx.get("http://127.0.0.1:9")

    assert "httpcore.connection" in names
    assert handler_of(root).flush(60)


def test_dict_config_twice_while_a_post_hangs_is_quick_and_loses_nothing(root: logging.Logger) -> None:
    release = threading.Event()

    with scripted_hub(hang(release)) as hub:
        config = configured(hub.url, timeout="100 s", exit_deadline="100 s")
        logging.config.dictConfig(config)
        LOG.info("before")
        hub.wait_for(lambda: len(hub.requests) == 1)
        LOG.info("waiting")
        took = []

        for number in range(8):
            start = time.monotonic()
            logging.config.dictConfig(config)
            took.append(time.monotonic() - start)
            LOG.info("between %d", number)

        LOG.info("after")
        release.set()
        assert handler_of(root).flush(60)
        assert hub.messages == ["before", "waiting", *(f"between {number}" for number in range(8)), "after"]
        assert len({request.identity.source for request in hub.requests}) == 1

    assert min(took) < 0.5  # of the quickest: others may have the processor
    assert max(took) < 30  # the request, and what an exit may wait for, would take 100


def test_dict_config_with_other_options_still_delivers_what_the_old_ones_held(root: logging.Logger) -> None:
    release = threading.Event()

    with scripted_hub(hang(release)) as hub:
        logging.config.dictConfig(configured(hub.url))
        LOG.info("old")
        hub.wait_for(lambda: len(hub.requests) == 1)
        LOG.info("old too")
        logging.config.dictConfig(configured(hub.url, batch_records=7))
        LOG.info("new")
        release.set()
        hub.wait_for(lambda: len(hub.stored) == 3)
        assert sorted(hub.messages) == ["new", "old", "old too"]
        assert root.handlers


def test_logging_from_del_inside_of_an_emit_is_delivered(hub: ScriptedHub, root: logging.Logger) -> None:
    logging.config.dictConfig(configured(hub.url))

    gone: list[str] = []

    class Dying:
        def __init__(self, number: int) -> None:
            self.number = number
            self.me = self  # a cycle: only the collector ends it, wherever it happens to run

        def __del__(self) -> None:
            # Where the collector runs in a thread that delivers, the record is turned away like all of its records.
            if not is_own_thread():
                gone.append(f"gone {self.number}")

            LOG.info("gone %d", self.number)

    before = gc.get_threshold()
    gc.set_threshold(5)

    try:
        for number in range(2000):
            Dying(number)
            LOG.info("made %d", number)
    finally:
        gc.set_threshold(*before)

    gc.collect()
    assert handler_of(root).flush(60)
    assert len(gone) > 1000
    assert sorted(hub.messages) == sorted([*gone, *(f"made {number}" for number in range(2000))])


def test_logging_from_a_signal_handler_is_delivered(hub: ScriptedHub, root: logging.Logger) -> None:
    logging.config.dictConfig(configured(hub.url))
    ticks = 0

    def tick(_number: int, _frame: object) -> None:
        nonlocal ticks
        ticks += 1
        LOG.info("tick %d", ticks)

    before = signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    written = 0

    try:
        while ticks < 300:
            LOG.info("line %d", written)
            written += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert handler_of(root).flush(60)
    messages = set(hub.messages)
    counts = handler_of(root).counters
    assert counts.appended == written + ticks
    assert counts.appended == counts.acked + counts.dropped
    assert counts.dropped or messages == {f"line {n}" for n in range(written)} | {f"tick {n + 1}" for n in range(ticks)}


def test_flush_in_a_signal_handler_does_not_hang(root: logging.Logger) -> None:
    with scripted_hub(otherwise=status(503)) as hub:
        logging.config.dictConfig(configured(hub.url))
        flushed = []

        def flush(_number: int, _frame: object) -> None:
            flushed.append(handler_of(root).flush(0.01))

        before = signal.signal(signal.SIGALRM, flush)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.02)

        try:
            while len(flushed) < 5:
                LOG.info("x")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

        hub.otherwise = status(200)
        handler_of(root).flush(60)
