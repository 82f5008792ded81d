"""Options of RemoteHandler: each wrong one is named with its remedy, through dictConfig as well."""

import gc
import logging
import logging.config
import sys
from typing import Any

import pytest

from loghub.errors import ConfigError, MissingExtraError
from loghub.formatters import JSONFormatter
from loghub.handlers.remote import RemoteHandler

URL = "http://127.0.0.1:9"

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": "127.0.0.1:8514"}, "url"),
    ({"url": "ftp://host"}, "url"),
    ({"url": "http://"}, "url"),
    ({"url": "http://host:99999"}, "url"),
    ({"url": "http://host:0"}, "url"),
    ({"url": "http://[::1"}, "url"),
    ({"url": "http://ho st"}, "url"),
    ({"url": "http://host?x=1"}, "url"),
    ({"url": "http://user:pass@host"}, "url"),
    ({"url": "http://host/api/v1/ingest"}, "url"),
    ({"url": "http://${HUB}"}, "url"),
    ({"url": ""}, "url"),
    ({"url": None}, "url"),
    ({"enabled": "perhaps"}, "enabled"),
    ({"token": "a\nb"}, "token"),
    ({"headers": "X-Team: shop"}, "headers"),
    ({"headers": {"X": "a\r\nY: b"}}, "headers"),
    ({"queue": 0}, "queue"),
    ({"queue_bytes": "much"}, "queue_bytes"),
    ({"batch_records": "ten"}, "batch_records"),
    ({"batch_bytes": -1}, "batch_bytes"),
    ({"linger": "50 bananas"}, "linger"),
    ({"timeout": 0}, "timeout"),
    ({"exit_deadline": None}, "exit_deadline"),
    ({"compress": "maybe"}, "compress"),
    ({"verify": "/no/such/file.pem"}, "verify"),
    ({"verify": __file__, "url": "https://127.0.0.1:9"}, "verify"),
    ({"linger_ms": 50}, "linger_ms"),
]


@pytest.mark.parametrize(("options", "option"), WRONG)
def test_wrong_option_is_named_with_its_remedy(options: dict[str, Any], option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RemoteHandler(**{"url": URL, **options})

    assert caught.value.owner == "RemoteHandler"
    assert caught.value.option == option
    assert caught.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@host",
        "http://user:hunter2@host:99999",
        "http://user:hunter2@host:none",
        "ftp://user:hunter2@host",
        "user:hunter2@host:8514",
        "//user:hunter2@host",
        "http://user:x/hunter2@host",
        "http://user:hunt\ner2@host",
        "http://user:hunter2@ho st",
        "http://user:hunter2?@host",
        "http://user:hunter2@[::1",
        "http://user:hunter2@${HOST}",
        "http://host?token=hunter2",
        "http://host#hunter2",
        "http://host:0/?token=hunter2#x",
        b"http://user:hunter2@host",
    ],
)
def test_secrets_are_not_in_the_error(url: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        RemoteHandler(url)

    assert "hunt" not in f"{caught.value} {caught.value.value}"
    assert "…" in str(caught.value)


def test_dict_config_names_handler_and_option() -> None:
    handlers = {"remote": {"class": "loghub.RemoteHandler", "url": URL, "lingr": 1}}

    with pytest.raises(ValueError, match="remote") as caught:
        logging.config.dictConfig({"version": 1, "handlers": handlers})

    assert "did you mean 'linger'?" in str(caught.value.__cause__)


@pytest.mark.parametrize("formatter", [logging.Formatter(), JSONFormatter("%(message)s")])
def test_formatter_that_writes_no_plain_line_is_refused(formatter: logging.Formatter) -> None:
    handler = RemoteHandler(URL)

    with pytest.raises(ConfigError, match="plain line"):
        handler.setFormatter(formatter)

    handler.close()


def test_plain_formatter_is_taken() -> None:
    handler = RemoteHandler(URL)
    handler.setFormatter(JSONFormatter(static={"service": "shop"}))
    handler.setFormatter(None)
    handler.close()


@pytest.mark.parametrize(
    ("variable", "option", "enabled"),
    [
        (None, "env:LOGHUB_REMOTE", True),
        ("", "env:LOGHUB_REMOTE", True),
        ("0", "env:LOGHUB_REMOTE", False),
        ("off", "env:LOGHUB_REMOTE", False),
        ("Yes", "env:LOGHUB_REMOTE", True),
        ("0", True, False),
        ("1", False, True),
        (None, False, False),
        (None, "env:SHOP_REMOTE", False),
        ("1", "env:SHOP_REMOTE", True),
    ],
)
def test_environment_turns_it_on_and_off(
    monkeypatch: pytest.MonkeyPatch, *, variable: str | None, option: bool | str, enabled: bool
) -> None:
    monkeypatch.setenv("SHOP_REMOTE", "no")
    monkeypatch.delenv("LOGHUB_REMOTE", raising=False)

    if variable is not None:
        monkeypatch.setenv("LOGHUB_REMOTE", variable)

    handler = RemoteHandler(URL, enabled=option)
    assert handler.enabled is enabled
    handler.close()


def test_odd_word_in_the_environment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGHUB_REMOTE", "perhaps")

    with pytest.raises(ConfigError, match="LOGHUB_REMOTE is 'perhaps'"):
        RemoteHandler(URL)


def test_disabled_handler_takes_nothing_and_holds_nothing_up() -> None:
    handler = RemoteHandler(URL, enabled=False)
    handler.handle(logging.makeLogRecord({"msg": "x"}))
    assert handler.flush(60)
    assert handler.counters.appended == 0
    handler.close()


def test_guarantee_without_a_spool_is_best_effort() -> None:
    handler = RemoteHandler(URL)
    assert handler.guarantee == "best-effort"
    handler.close()


def users_of(handler: RemoteHandler) -> set[object]:
    assert handler._engine is not None
    return handler._engine._users


def test_refused_formatter_lets_go_of_the_engine() -> None:
    handler = RemoteHandler(URL, timeout=11)

    with pytest.raises(ConfigError):
        handler.setFormatter(logging.Formatter())

    assert not users_of(handler)


def test_handler_that_is_forgotten_lets_go_of_the_engine() -> None:
    handler, other = RemoteHandler(URL, timeout=12), RemoteHandler(URL, timeout=12)
    users = users_of(other)
    assert len(users) == 2
    del handler
    gc.collect()
    assert len(users) == 1
    other.close()
    other.close()
    assert not users


def test_zstd_that_is_not_installed_names_the_extra_and_gzip_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)

    with pytest.raises(MissingExtraError, match=r"loghub\[remote\]"):
        RemoteHandler(URL)

    RemoteHandler(URL, compress="gzip").close()
