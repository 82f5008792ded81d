"""QueryFilter: the same answers as the hub gives for the record's line."""

import logging
import logging.config
import os
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given

import loghub
from loghub.errors import ConfigError
from loghub.event.encode import decode
from loghub.event.model import Event
from loghub.filters import QueryFilter
from loghub.query import parse, predicate
from loghub.query.tree import Present

from filtered import Keeper, logger_with
from query_strategies import queries


def record(message: object = "order %d paid", level: int = 20, args: Any = (7,), **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("shop.payments", level, "/app/pay.py", 12, message, args, None, "pay")
    made.created = 1_790_000_000.000001  # far enough from now that it does not matter when a query is compiled
    made.__dict__.update(extra)
    return made


def test_records_that_match_pass_in_a_dict_config() -> None:
    filters = {"grave": {"()": "loghub.QueryFilter", "query": "level>=warning OR logger:payments"}}
    handlers = {"keep": {"()": Keeper, "filters": ["grave"]}}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": filters,
            "handlers": handlers,
            "loggers": {"": {}, "payments": {"handlers": ["keep"], "level": "INFO", "propagate": False}},
        }
    )
    logger = logging.getLogger("payments.card")
    keeper = logging.getLogger("payments").handlers[0]
    logger.info("taken")
    logging.getLogger("payments").handlers.clear()

    with logger_with(keeper, name="filtered.query") as other:
        other.info("left")
        other.warning("kept")

    assert isinstance(keeper, Keeper)
    assert keeper.messages() == ["taken", "kept"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", True),
        ("level>=warning", False),
        ("level:info", True),
        ("logger:shop", True),
        ("logger:pay", False),
        ('"ORDER 7 paid"', True),
        ("order_id:42 amount>9", True),
        ("amount<=9.5", True),
        ("user.name:ann -missing:*", True),
        ("function:pay line:12 file:*pay.py", True),
        ("template:order*", True),
        ("service:web", True),
        ("region:eu", True),
        ("request_id:r1", True),
        ("message:/order \\d+/", True),
        ("ts>2020-01-01", True),
    ],
)
def test_query_asks_the_record_its_extras_the_context_and_what_is_static(query: str, *, expected: bool) -> None:
    asked = QueryFilter(query, static={"region": "eu"})
    made = record(order_id=42, amount=9.5, user={"name": "ann"}, service="web")

    with loghub.bound(request_id="r1"):
        assert asked.filter(made) is expected


def test_exception_is_asked() -> None:
    try:
        raise ConnectionResetError("peer went away")
    except ConnectionResetError as error:
        made = record(exc_info=(type(error), error, error.__traceback__))

    assert QueryFilter("exception:ConnectionResetError").filter(made)
    assert QueryFilter('"peer went away"').filter(made)
    assert not QueryFilter("exception:OSError").filter(made)


def test_tags_of_the_environment_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGHUB_SERVICE", "till")
    monkeypatch.setenv("LOGHUB_ENV", "prod")

    assert QueryFilter("service:till env:prod").filter(record())
    assert "LOGHUB_SERVICE" in os.environ


EXTRAS: list[Mapping[str, Any]] = [
    {},
    {"order_id": 42, "service": 7},
    {"a": None, "b": float("nan"), "c": "x" * 10, "user": {"id": 1, "tags": ["a", "b"]}},
    {"levelno": 40, "_hidden": 1, "amount": 3.5, "duration_ms": 200, "paid": True},
]


@given(queries)
@example(Present("extra"))
@example(parse("extra._hidden:1"))
def test_answer_is_that_of_the_line(query: Any) -> None:
    text = str(query)
    matches = predicate(parse(text), now_us=time.time_ns() // 1000)

    for extra in EXTRAS:
        for made in (record(**extra), record({"message": "m", "order_id": 1}, args=()), record("plain", 40, None)):
            event = Event.from_mapping(decode(loghub.JSONFormatter().format_line(made)), now_us=0)
            assert QueryFilter(text).filter(made) == matches(event), (text, extra)


def test_wrong_query_is_a_configuration_error_with_option_and_position() -> None:
    with pytest.raises(ConfigError) as raised:
        QueryFilter("level>=eror payments")

    assert str(raised.value).startswith("QueryFilter: query='level>=eror payments': at character 8: expected a level")


def test_stages_are_refused() -> None:
    with pytest.raises(ConfigError, match="stages"):
        QueryFilter("error | count by service")


def test_loghub_configure_names_filter_option_and_position() -> None:
    with pytest.raises(ConfigError, match=r"filter 'grave': QueryFilter: query='\(': at character 2"):
        loghub.configure({"filters": {"grave": {"()": "loghub.QueryFilter", "query": "("}}})


@pytest.mark.parametrize("value", [None, 7, ["level:info"]])
def test_query_that_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="query="):
        QueryFilter(value)


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_record_whose_message_raises_passes_and_nothing_reaches_the_application() -> None:
    keeper = Keeper(QueryFilter("paid"))

    with logger_with(keeper) as logger:
        logger.info("order %s", Broken())

    assert len(keeper.records) == 1
