"""RateLimitFilter: what passes, what is told of the rest, and to whom."""

import logging
import logging.config
import os
import queue
import subprocess
import sys
import threading
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path
from typing import Any

import pytest

from loghub.errors import ConfigError
from loghub.event.context import bound, current
from loghub.filters import RateLimitFilter

from filtered import Clock, Keeper, logger_with
from scripted_hub import scripted_hub


def limited(**options: Any) -> tuple[Clock, Keeper]:
    clock = Clock()
    return clock, Keeper(RateLimitFilter(**{"limit": 2, "interval": 10, "clock": clock, **options}))


def test_next_record_says_how_many_were_held_back() -> None:
    clock, keeper = limited()

    with logger_with(keeper) as logger:
        for number in range(5):
            logger.info("paid %d", number)

        clock.now += 10
        logger.info("paid %d", 5)
        logger.info("paid %d", 6)

    assert keeper.messages() == ["paid 0", "paid 1", "paid 5", "paid 6"]
    assert keeper.values("suppressed") == [None, None, 3, None]


def test_templates_loggers_and_levels_are_limited_apart() -> None:
    _, keeper = limited(limit=1)

    with logger_with(keeper) as logger:
        logger.info("a %d", 1)
        logger.info("b %d", 1)
        logger.warning("a %d", 1)
        logger.getChild("cart").info("a %d", 1)

    assert len(keeper.records) == 4


def test_event_of_its_own_tells_where_no_record_of_the_kind_comes() -> None:
    clock, keeper = limited()

    with logger_with(keeper) as logger:
        for number in range(5):
            logger.warning("paid %d", number)

        clock.now += 10

        with bound(request_id="of another request"):
            logger.info("something else")

    told = keeper.records[2]
    assert (told.getMessage(), told.levelname, told.name) == ("3 records held back: paid %d", "WARNING", logger.name)
    assert told.__dict__["suppressed"] == 3
    assert keeper.messages()[3] == "something else"


def test_event_that_tells_has_nothing_of_the_context_of_who_logs_next() -> None:
    seen: list[dict[str, Any]] = []

    class Looking(Keeper):
        def emit(self, record: logging.LogRecord) -> None:
            super().emit(record)
            seen.append(current())

    clock = Clock()
    keeper = Looking(RateLimitFilter(1, 10, clock=clock))

    with logger_with(keeper) as logger, bound(request_id="r1"):
        logger.info("a")
        logger.info("a")
        clock.now += 10
        logger.info("b")

    assert keeper.messages() == ["a", "1 records held back: a", "b"]
    assert seen == [{"request_id": "r1"}, {}, {"request_id": "r1"}]


def test_handlers_with_the_filter_agree_and_others_see_everything() -> None:
    clock = Clock()
    limit = RateLimitFilter(2, 10, clock=clock)
    one, two, free = Keeper(limit), Keeper(limit), Keeper()

    with logger_with(one, free, two) as logger:
        for number in range(5):
            logger.info("paid %d", number)

        clock.now += 10
        logger.info("something else")

    assert one.messages() == two.messages() == ["paid 0", "paid 1", "3 records held back: paid %d", "something else"]
    assert free.messages() == [*(f"paid {number}" for number in range(5)), "something else"]


def test_filter_on_a_logger_tells_too() -> None:
    clock, keeper = Clock(), Keeper()

    with logger_with(keeper) as logger:
        logger.addFilter(RateLimitFilter(1, 10, clock=clock))
        logger.info("a")
        logger.info("a")
        clock.now += 10
        logger.info("b")

    assert keeper.messages() == ["a", "1 records held back: a", "b"]


def test_records_from_a_level_on_all_pass() -> None:
    _, keeper = limited(limit=1, keep="ERROR")

    with logger_with(keeper) as logger:
        for _ in range(3):
            logger.error("broken")
            logger.info("fine")

    assert keeper.messages() == ["broken", "fine", "broken", "broken"]


def test_flush_tells_at_once() -> None:
    _, keeper = limited(limit=1)

    with logger_with(keeper) as logger:
        logger.info("a")
        logger.info("a")
        limit = keeper.filters[0]
        assert isinstance(limit, RateLimitFilter)
        limit.flush()
        limit.flush()

    assert keeper.messages() == ["a", "1 records held back: a"]


def test_end_of_the_process_tells() -> None:
    code = """
import logging, loghub
from loghub.filters import RateLimitFilter
handler = logging.StreamHandler()
handler.addFilter(RateLimitFilter(1, 60))
logging.getLogger().addHandler(handler)
for number in range(3):
    logging.warning("paid %d", number)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["paid 0", "2 records held back: paid %d"]


def test_end_of_the_process_tells_the_hub_too() -> None:
    code = """
import logging, sys
from loghub.filters import RateLimitFilter
from loghub.handlers.remote import RemoteHandler
handler = RemoteHandler(sys.argv[1], linger="10 s")
handler.addFilter(RateLimitFilter(1, 60))
logging.getLogger("shop").addHandler(handler)
for number in range(3):
    logging.getLogger("shop").warning("paid %d", number)
"""
    with scripted_hub() as hub:
        subprocess.run([sys.executable, "-c", code, hub.url], check=True, timeout=100)
        assert hub.messages == ["paid 0", "2 records held back: paid %d"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_end_of_a_process_of_multiprocessing_tells_what_that_one_held_back(method: str, tmp_path: Path) -> None:
    code = """
import logging, multiprocessing, sys
from loghub.filters import RateLimitFilter

handler = logging.StreamHandler()
handler.addFilter(RateLimitFilter(1, 60))
log = logging.getLogger("shop")
log.addHandler(handler)

def work():
    for number in range(4):
        log.warning("child %d", number)

if __name__ == "__main__":
    log.warning("parent %d", 1)
    log.warning("parent %d", 2)
    child = multiprocessing.get_context(sys.argv[1]).Process(target=work)
    child.start()
    child.join()
"""
    (tmp_path / "work.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "work.py", method], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=100
    )
    expected = ["parent 1", "child 0", "3 records held back: child %d", "1 records held back: parent %d"]
    assert done.stderr.splitlines() == expected


def test_behind_a_queue_the_next_record_that_passes_tells() -> None:
    clock, keeper = limited(limit=1)
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    listener = QueueListener(waiting, keeper)

    with logger_with(QueueHandler(waiting)) as logger:
        listener.start()
        logger.info("a")
        logger.info("a")
        listener.stop()
        clock.now += 10
        listener.start()
        logger.info("b")
        listener.stop()

    assert list(zip(keeper.messages(), keeper.values("suppressed"), strict=True)) == [("a", None), ("b", 1)]


def test_extra_of_that_name_is_left_alone_and_the_count_kept() -> None:
    clock, keeper = limited(limit=1)

    with logger_with(keeper) as logger:
        logger.info("a")
        logger.info("a")
        clock.now += 10
        logger.info("a", extra={"suppressed": "mine"})
        logger.info("b")

    assert keeper.values("suppressed") == [None, "mine", 1]


def test_forgotten_kinds_are_told() -> None:
    _, keeper = limited(limit=1, max_kinds=2)

    with logger_with(keeper) as logger:
        for text in ("a", "a", "b", "c"):
            logger.info(text)

    assert keeper.messages() == ["a", "b", "1 records held back: a", "c"]


def test_many_threads_pass_exactly_the_limit_and_every_record_is_accounted_for() -> None:
    _, keeper = limited(limit=50)

    with logger_with(keeper) as logger:

        def log() -> None:
            for _ in range(500):
                logger.info("x")

        threads = [threading.Thread(target=log) for _ in range(6)]

        for thread in threads:
            thread.start()

        for thread in threads:
            thread.join()

        limit = keeper.filters[0]
        assert isinstance(limit, RateLimitFilter)
        limit.flush()

    assert len(keeper.records) == 51
    assert keeper.records[-1].__dict__["suppressed"] == 2950


def test_one_record_in_two_threads_at_once_is_judged_once() -> None:
    limit = RateLimitFilter(1000, 60)
    records = [logging.makeLogRecord({"msg": "x", "name": "shop"}) for _ in range(2000)]
    passed: list[list[bool]] = [[], [], []]
    threads = [
        threading.Thread(target=lambda mine=mine: mine.extend(limit.filter(record) for record in records))
        for mine in passed
    ]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    assert passed[0] == passed[1] == passed[2]
    assert sum(passed[0]) == 1000


def test_record_logged_while_another_is_judged_passes() -> None:
    class Odd:
        def __str__(self) -> str:
            logger.info("from inside")
            return "odd"

    _, keeper = limited(limit=1)

    with logger_with(keeper) as logger:
        logger.info(Odd())
        logger.info("after")

    assert keeper.messages()[0] == "from inside"
    assert "after" in keeper.messages()


def test_message_that_raises_does_not_reach_the_application() -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError

    limit = RateLimitFilter()
    assert limit.filter(logging.makeLogRecord({"msg": Odd()})) is True
    assert limit.filter(logging.makeLogRecord({"msg": "%d", "args": ("x",)})) is True


def test_forked_child_begins_anew() -> None:
    _, keeper = limited(limit=1)
    limit = keeper.filters[0]
    assert isinstance(limit, RateLimitFilter)

    with logger_with(keeper) as logger:
        logger.info("a")
        logger.info("a")

        with limit._lock:  # as another thread may hold it
            pid = os.fork()

        if pid == 0:
            keeper.records.clear()
            limit.flush()
            logger.info("a")
            os._exit(0 if keeper.messages() == ["a"] else 1)

        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_dict_config_hangs_one_filter_on_several_handlers() -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"limit": {"()": "loghub.filters.RateLimitFilter", "limit": 1, "interval": "1 minute"}},
            "handlers": {
                "one": {"class": "filtered.Keeper", "filters": ["limit"]},
                "two": {"class": "filtered.Keeper", "filters": ["limit"]},
            },
            "loggers": {"filtered.configured": {"level": "INFO", "handlers": ["one", "two"], "propagate": False}},
        }
    )
    logger = logging.getLogger("filtered.configured")

    try:
        for _ in range(3):
            logger.info("x")

        assert [handler.messages() for handler in logger.handlers if hasattr(handler, "messages")] == [["x"], ["x"]]
    finally:
        logger.handlers = []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"limit": 0}, "limit"),
    ({"interval": "soon"}, "interval"),
    ({"interval": 0}, "interval"),
    ({"keep": "LOUD"}, "keep"),
    ({"max_kinds": 0}, "max_kinds"),
    ({"rate": 5}, "rate"),
]


@pytest.mark.parametrize(("options", "option"), WRONG)
def test_wrong_option_is_named(options: dict[str, Any], option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RateLimitFilter(**options)

    assert (caught.value.owner, caught.value.option) == ("RateLimitFilter", option)
