"""ContextFilter: what other people's formatters see, and what is never touched."""

import logging
import logging.config
from io import StringIO
from typing import Any

import pytest
from filtered import Keeper, logger_with

from loghub.errors import ConfigError
from loghub.event.context import bound
from loghub.filters import ContextFilter


def seen(*, extra: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    record = logging.makeLogRecord({"name": "shop", "msg": "hello", **(extra or {})})
    assert ContextFilter(**options).filter(record) is True
    return record.__dict__


def test_bound_values_are_attributes() -> None:
    with bound(request_id="r1", component="cart"):
        record = seen()

    assert (record["request_id"], record["component"]) == ("r1", "cart")


def test_value_comes_from_static_then_extra_then_context_then_environment_then_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGHUB_SERVICE", "environment")
    defaults = {"service": "default"}
    assert seen(defaults=defaults)["service"] == "environment"

    with bound(service="bound"):
        assert seen(defaults=defaults)["service"] == "bound"
        assert seen(extra={"service": "extra"})["service"] == "extra"
        assert seen(extra={"service": "extra"}, static={"service": "static"})["service"] == "static"

    monkeypatch.delenv("LOGHUB_SERVICE")
    assert seen(defaults=defaults)["service"] == "default"


def test_tags_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = {"service": "shop", "env": "test", "version": "1.2", "hostname": "h1"}

    for tag, value in tags.items():
        monkeypatch.setenv(f"LOGHUB_{tag.upper()}", value)

    record = seen()
    assert {tag: record[tag] for tag in tags} == tags


@pytest.mark.parametrize("standard", ["name", "msg", "args", "levelname", "message", "asctime", "exc_info", "process"])
def test_attribute_of_logging_itself_is_never_touched(standard: str) -> None:
    before = logging.makeLogRecord({"name": "shop", "msg": "hello"}).__dict__

    with bound(**{standard: "spoofed"}):
        assert seen().get(standard) == before.get(standard)


def test_second_filter_with_other_tags_puts_its_own() -> None:
    one, two = Keeper(ContextFilter(static={"service": "one"})), Keeper(ContextFilter(static={"service": "two"}))
    shown: list[str] = []
    one.emit = two.emit = lambda record: shown.append(record.__dict__["service"])  # type: ignore[method-assign]

    with logger_with(one, two) as logger:
        logger.info("x")

    assert shown == ["one", "two"]


def test_format_of_the_standard_library_shows_bound_values_and_defaults() -> None:
    stream = StringIO()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"context": {"()": "loghub.filters.ContextFilter", "defaults": {"request_id": "-"}}},
            "formatters": {"plain": {"format": "%(request_id)s %(message)s"}},
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "formatter": "plain",
                    "filters": ["context"],
                    "stream": stream,
                }
            },
            "loggers": {"filtered.plain": {"level": "INFO", "handlers": ["out"], "propagate": False}},
        }
    )
    logger = logging.getLogger("filtered.plain")

    try:
        logger.info("outside")

        with bound(request_id="r1"):
            logger.info("inside")
    finally:
        logger.handlers = []

    assert stream.getvalue() == "- outside\nr1 inside\n"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"static": "service"}, "static"),
    ({"static": {"name": "x"}}, "static"),
    ({"defaults": ["request_id"]}, "defaults"),
    ({"default": {}}, "default"),
]


@pytest.mark.parametrize(("options", "option"), WRONG)
def test_wrong_option_is_named(options: dict[str, Any], option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ContextFilter(**options)

    assert (caught.value.owner, caught.value.option) == ("ContextFilter", option)
