"""MetricsFilter and the text: nothing lost between threads, nothing twice between handlers."""

import gc
import logging
import logging.config
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from loghub import metrics
from loghub.errors import ConfigError
from loghub.event.context import bound
from loghub.event.encode import encode
from loghub.metrics import Family, MetricsFilter

from filtered import Clock


@pytest.fixture
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a metric that no other test counts."""
    chosen = request.node.originalname.removeprefix("test_")[:60] + "_total"
    yield chosen
    metrics._counters.pop(chosen, None)


def counted(name: str) -> dict[tuple[str, ...], float]:
    return next(dict(family.samples) for family in metrics.snapshot() if family.name == name)


def logger_with(*filters: logging.Filter) -> logging.Logger:
    """Make a logger with one handler for each filter."""
    logger = logging.Logger("shop")  # noqa: LOG001 (one that no other test sees)

    for each in filters:
        handler = logging.NullHandler()
        handler.handle = lambda record, handler=handler: handler.filter(record)  # type: ignore[method-assign, misc]
        handler.addFilter(each)
        logger.addHandler(handler)

    return logger


def test_records_are_counted_by_level_logger_and_tags(name: str) -> None:
    logger = logger_with(MetricsFilter(["service", "sku"], name))
    logger.info("x", extra={"service": "shop", "sku": 7})
    logger.info("x", extra={"service": "shop", "sku": 7})
    logger.error("x")
    assert counted(name) == {("INFO", "shop", "shop", "7"): 2, ("ERROR", "shop", "", ""): 1}


def test_half_a_character_in_a_label_does_not_break_the_text(name: str) -> None:
    counting = MetricsFilter(["path"], name)
    record = logging.makeLogRecord({"name": "caf\udce9", "levelname": "L\udce9", "path": "/caf\udce9"})
    assert counting.filter(record)
    assert f'{name}{{level="L\\\\udce9",logger="caf\\\\udce9",path="/caf\\\\udce9"}} 1.0' in metrics.text()


def test_half_a_character_of_another_source_does_not_break_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    family = Family("odd_total", "Odd.", "counter", ("path",), {("\udce9",): 1})
    monkeypatch.setattr(metrics, "_sources", [lambda: [family]])
    assert 'odd_total{path="\\\\udce9"} 1.0' in metrics.text()


def test_record_that_cannot_be_counted_goes_through_and_is_counted_as_lost(name: str) -> None:
    class Odd(dict[str, object]):
        def __contains__(self, _key: object) -> bool:
            raise RuntimeError("no")

    counting = MetricsFilter(["path"], name)
    record = logging.makeLogRecord({})
    record.__dict__ = Odd(record.__dict__)
    assert counting.filter(record)
    assert counting.lost == 1
    assert counted(name) == {}


def test_every_record_goes_through(name: str) -> None:
    assert MetricsFilter(name=name).filter(logging.makeLogRecord({})) is True


def test_tag_comes_from_static_then_extra_then_context_then_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGHUB_SERVICE", "environment")
    logger = logger_with(MetricsFilter(["service", "component"], name, static={"component": "static"}))
    logger.info("x")

    with bound(service="bound", component="bound"):
        logger.info("x")
        logger.info("x", extra={"service": "extra", "component": "extra"})

    assert [labels[2:] for labels in counted(name)] == [
        ("environment", "static"),
        ("bound", "static"),
        ("extra", "static"),
    ]


def test_record_is_counted_once_for_all_handlers(name: str) -> None:
    one = MetricsFilter(["service"], name)
    logger_with(one, one, MetricsFilter(["service"], name)).info("x")
    assert counted(name) == {("INFO", "shop", ""): 1}


def test_record_that_was_pickled_is_not_counted_again(name: str) -> None:
    record = logging.makeLogRecord({"levelname": "INFO", "name": "shop"})
    MetricsFilter(name=name).filter(record)
    MetricsFilter(name=name).filter(pickle.loads(pickle.dumps(record)))  # noqa: S301 (our own bytes)
    assert counted(name) == {("INFO", "shop"): 1}


def test_filters_of_other_names_count_for_themselves(name: str) -> None:
    other = f"other_{name}"
    logger_with(MetricsFilter(name=name), MetricsFilter(name=other)).info("x")
    assert counted(name) == counted(other) == {("INFO", "shop"): 1}
    del metrics._counters[other]


def test_many_threads_lose_nothing_while_others_read(name: str) -> None:
    logger = logger_with(MetricsFilter(["thread_number"], name))
    done = threading.Event()

    def log(number: int) -> None:
        for _ in range(2000):
            logger.info("x", extra={"thread_number": number})

    def read() -> None:
        while not done.is_set():
            metrics.snapshot()

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=log, args=(number,)) for number in range(6)]

    for thread in (reader, *writers):
        thread.start()

    for thread in writers:
        thread.join()

    done.set()
    reader.join()
    assert counted(name) == {("INFO", "shop", str(number)): 2000 for number in range(6)}


def test_one_record_in_two_threads_at_once_is_counted_once(name: str) -> None:
    counting = MetricsFilter(name=name)
    records = [logging.makeLogRecord({"levelname": "INFO", "name": "shop"}) for _ in range(3000)]
    threads = [threading.Thread(target=lambda: [counting.filter(record) for record in records]) for _ in range(4)]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    assert counted(name) == {("INFO", "shop"): 3000}


def test_signal_handlers_and_the_collector_lose_nothing(name: str) -> None:
    logger = logger_with(MetricsFilter(name=name))
    expected = {"shop": 0}

    def log(*_: object) -> None:
        expected["shop"] += 1
        logger.info("x")
        metrics.snapshot()
        signal.setitimer(signal.ITIMER_REAL, 0.0005)  # the next one only now: they must not pile up

    class Dying:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            logger.warning("x")

    before = signal.signal(signal.SIGALRM, log)
    signal.setitimer(signal.ITIMER_REAL, 0.0005)
    written = 0

    try:
        while expected["shop"] < 100:
            Dying()
            logger.error("x")
            written += 1
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    gc.collect()
    counts = counted(name)
    assert counts == {("INFO", "shop"): expected["shop"], ("WARNING", "shop"): written, ("ERROR", "shop"): written}


def test_series_are_bounded(name: str) -> None:
    logger = logger_with(MetricsFilter(["user"], name, max_series=10))

    for number in range(100):
        logger.info("x", extra={"user": number})

    counts = counted(name)
    assert len(counts) == 11
    assert counts["INFO", "other", "other"] == 90


def test_tag_whose_str_raises_is_shown_by_its_type(name: str) -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError

    logger_with(MetricsFilter(["odd", "long"], name)).info("x", extra={"odd": Odd(), "long": "y" * 1000})
    assert counted(name) == {("INFO", "shop", "<Odd>", "y" * 120): 1}


def configuration(name: str, **options: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"metrics": {"()": "loghub.MetricsFilter", "name": name, **options}},
        "handlers": {
            "one": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "filters": ["metrics"]},
            "two": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "filters": ["metrics"]},
        },
        "loggers": {"configured": {"level": "INFO", "handlers": ["one", "two"], "propagate": False}},
    }


def test_counts_outlive_a_new_configuration(name: str) -> None:
    for _ in range(2):
        logging.config.dictConfig(configuration(name, tags=["service"]))
        logging.getLogger("configured").info("x")

    assert counted(name) == {("INFO", "configured", ""): 2}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"tags": "service"}, "tags"),
    ({"tags": ["user id"]}, "tags"),
    ({"tags": ["level"]}, "tags"),
    ({"tags": ["__name"]}, "tags"),
    ({"tags": ["a", "a"]}, "tags"),
    ({"tags": [None, 3]}, "tags"),
    ({"name": "log-records_total"}, "name"),
    ({"name": "log_records"}, "name"),
    ({"max_series": 0}, "max_series"),
    ({"window": 0}, "window"),
    ({"window": "soon"}, "window"),
    ({"static": 5}, "static"),
    ({"static": ["service"]}, "static"),
    ({"tag": ["service"]}, "tag"),
]


@pytest.mark.parametrize(("options", "option"), WRONG)
def test_wrong_option_is_named(options: dict[str, Any], option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        MetricsFilter(**options)

    assert caught.value.owner == "MetricsFilter"
    assert caught.value.option == option
    assert caught.value.remedy


def test_same_name_with_other_tags_is_an_error(name: str) -> None:
    MetricsFilter(["service"], name)

    with pytest.raises(ConfigError, match="choose another name"):
        MetricsFilter(["component"], name)


def rates(name: str) -> dict[tuple[str, ...], float]:
    return counted(name.removesuffix("_total") + "_per_minute")


def test_rate_is_of_the_last_minute_and_slides(name: str) -> None:
    clock = Clock()
    logger = logger_with(MetricsFilter(["sku"], name, clock=clock))

    for _ in range(6):
        logger.info("x", extra={"sku": 1})
        clock.now += 10

    logger.error("x", extra={"sku": 2})
    assert rates(name) == {("INFO", "shop", "1"): 5, ("ERROR", "shop", "2"): 1}
    clock.now += 30
    assert rates(name) == {("INFO", "shop", "1"): 2, ("ERROR", "shop", "2"): 1}
    clock.now += 60
    assert rates(name) == {("INFO", "shop", "1"): 0, ("ERROR", "shop", "2"): 0}
    assert counted(name) == {("INFO", "shop", "1"): 6, ("ERROR", "shop", "2"): 1}


def test_rate_over_another_window_is_per_minute_too(name: str) -> None:
    clock = Clock()
    logger = logger_with(MetricsFilter(name=name, window="5 minutes", clock=clock))

    for _ in range(100):
        logger.info("x")

    clock.now += 240
    assert rates(name) == {("INFO", "shop"): 20}
    clock.now += 61
    assert rates(name) == {("INFO", "shop"): 0}


def test_many_records_in_many_slots_take_bounded_memory(name: str) -> None:
    clock = Clock()
    filter_ = MetricsFilter(name=name, clock=clock)
    logger = logger_with(filter_)

    for _ in range(5000):
        logger.info("x")
        clock.now += 0.7

    assert 85 <= rates(name)["INFO", "shop"] <= 87
    assert len(filter_._counter._recent["INFO", "shop"]._counts) <= 61


def test_reset_sets_rates_to_zero_too(name: str) -> None:
    logger_with(MetricsFilter(name=name)).info("x")
    metrics.reset()
    assert rates(name) == {}


def test_text_is_what_prometheus_reads(name: str) -> None:
    logger_with(MetricsFilter(["quoted"], name)).info("x", extra={"quoted": 'a"b\n\\'})
    lines = metrics.text().splitlines()
    assert f"# TYPE {name} counter" in lines
    assert f"# TYPE {name.removesuffix('_total')}_per_minute gauge" in lines
    assert f'{name}{{level="INFO",logger="shop",quoted="a\\"b\\n\\\\"}} 1.0' in lines


def test_lines_with_values_that_nothing_can_encode_are_counted() -> None:
    def counted() -> float:
        (line,) = [line for line in metrics.text().splitlines() if line.startswith("loghub_encode_fallbacks_total ")]
        return float(line.split()[1])

    before = counted()
    encode({"fine": 1})
    assert counted() == before
    encode({"odd": "\udc80"})
    encode({"odd": {(1, 2): 3}})
    assert counted() == before + 2


def test_registered_sources_are_in_the_text_and_families_of_one_name_are_one() -> None:
    def source(label: str) -> list[Family]:
        return [Family("queue_size", "Waiting.", "gauge", ("queue",), {(label,): 3})]

    sources = [lambda: source("a"), lambda: source("b")]

    for each in (*sources, sources[0]):
        metrics.register(each)

    try:
        written = metrics.text()
    finally:
        for each in sources:
            metrics._sources.remove(each)

    assert written.count("# TYPE queue_size gauge") == 1
    assert 'queue_size{queue="a"} 3.0' in written
    assert 'queue_size{queue="b"} 3.0' in written


def test_reset_sets_to_zero(name: str) -> None:
    logger_with(MetricsFilter(name=name)).info("x")
    metrics.reset()
    assert counted(name) == {}


def test_forked_child_starts_at_zero(name: str) -> None:
    logger = logger_with(MetricsFilter(name=name))
    logger.info("x")
    reading, writing = os.pipe()
    pid = os.fork()

    if pid == 0:
        logger.error("x")
        os.write(writing, repr(counted(name)).encode())
        os._exit(0)

    os.waitpid(pid, 0)
    assert os.read(reading, 1000) == b"{('ERROR', 'shop'): 1}"
    os.close(reading)
    os.close(writing)


def test_module_loads_without_prometheus_and_says_what_to_install() -> None:
    code = """
import sys
sys.modules["prometheus_client"] = None
import loghub
loghub.MetricsFilter()
try:
    loghub.metrics.text()
except loghub.MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "loghub.metrics.text() needs the 'live' extra: pip install 'loghub[live]'"
