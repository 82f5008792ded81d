import json
import logging
import logging.config
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from loghub.config import configure
from loghub.errors import ConfigError, MissingExtraError
from loghub.handlers.json_file import JSONFileHandler

YAML = """
formatters:
  json: {(): loghub.JSONFormatter, static: {service: "${SHOP_SERVICE:-shop}"}}
handlers:
  file: {class: loghub.JSONFileHandler, filename: "${SHOP_LOGS}/app.jsonl", rotate: [1 MB, midnight], formatter: json}
root: {level: INFO, handlers: [file]}
"""

TOML = """
[formatters.json]
"()" = "loghub.JSONFormatter"
static = {service = "${SHOP_SERVICE:-shop}"}
[handlers.file]
class = "loghub.JSONFileHandler"
filename = "${SHOP_LOGS}/app.jsonl"
rotate = ["1 MB", "midnight"]
formatter = "json"
[root]
level = "INFO"
handlers = ["file"]
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("logging.yaml", YAML),
        ("logging.yml", YAML),
        ("logging.toml", TOML),
        ("logging.json", json.dumps(yaml.safe_load(YAML))),
    ],
)
def test_file_is_loaded_with_the_environment_filled_in(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_LOGS", str(tmp_path))
    (tmp_path / name).write_text(text)

    configure(tmp_path / name)
    logging.getLogger("cart").info("hello")

    found = json.loads((tmp_path / "app.jsonl").read_text())
    assert (found["service"], found["message"]) == ("shop", "hello")


def test_plain_dict_config_works_just_as_well(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = {"class": "loghub.JSONFileHandler", "filename": str(path)}

    for _ in range(2):
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {"f": handler},
                "root": {"level": "INFO", "handlers": ["f"]},
            }
        )
        logging.getLogger("cart").info("hello")

    assert len(path.read_text().splitlines()) == 2


def test_existing_loggers_stay_enabled() -> None:
    logger = logging.getLogger("made.before")
    states: list[bool] = []

    for config in ({}, {"disable_existing_loggers": True}):
        configure(config)
        states.append(logger.disabled)

    logger.disabled = False
    assert states == [False, True]


FILE = {"class": "loghub.JSONFileHandler", "filename": "x"}
SECRET = {"class": "loghub.RemoteHandler", "url": "http://127.0.0.1:9", "token": "s3cret-token", "enabled": False}


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        (FILE | {"rotate": "100 XB"}, "handler 'h': JSONFileHandler: rotate='100 XB': give a size"),
        (FILE | {"rotat": "1 MB"}, "handler 'h': JSONFileHandler: rotat='1 MB': there is no such option; did you mean"),
        ({"class": "loghub.JSONFilHandler"}, "handler 'h': class='loghub.JSONFilHandler': name a class that can be"),
        (FILE | {"filename": "${NOWHERE}"}, "filename='${NOWHERE}': set NOWHERE in the env"),
        (FILE | {"filename": "${A:-${B}}"}, "a placeholder cannot stand in the default of another one"),
        ({"class": "loghub.JSONFileHandler"}, "handler 'h': filename=None: loghub.JSONFileHandler needs it"),
        (
            {"class": "logging.FileHandler", "filename": "x", "speed": 1},
            "handler 'h': speed=1: logging.FileHandler has no",
        ),
        (FILE | {"level": "LOUD"}, "handler 'h': level='LOUD': give DEBUG, INFO"),
        (FILE | {"formatter": "jsn"}, "handler 'h': formatter='jsn': there is no such formatter; defined are: json"),
        (FILE | {"filters": ["nobody"]}, "handler 'h': filter='nobody': there is no such filter; defined are: none"),
        (
            {"class": "loghub.ConsoleHandler", "stream": "stdout"},
            "stream='stdout': give a stream, in YAML as ext://sys",
        ),
        (SECRET | {"level": "LOUD"}, "handler 'h': level='LOUD'"),
        (SECRET | {"url": "ftp://x"}, "handler 'h': RemoteHandler: url="),
        (7, "handlers: h='int': give a mapping"),
    ],
)
def test_wrong_option_ends_in_one_sentence_with_handler_option_value_and_remedy(
    handler: dict[str, Any], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a handler that is made before the mistake is found opens its file
    formatters = {"json": {"()": "loghub.JSONFormatter"}}

    with pytest.raises(ConfigError) as caught:
        configure({"formatters": formatters, "handlers": {"h": handler}, "root": {"handlers": ["h"]}})

    assert sentence in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"root": {"handlers": ["hh"]}}, "root logger: handler='hh': there is no such handler; defined are: none"),
        ({"handler": {}}, "configuration: handler='…': there is no such key; did you mean 'handlers'?"),
        ({"root": {"levle": "INFO"}}, "root logger: levle='…': there is no such key; did you mean 'level'?"),
        (
            {"loggers": {"a": {"handler": []}}},
            "logger 'a': handler='…': there is no such key; did you mean 'handlers'?",
        ),
        ({"root": []}, "configuration: root='list': give a mapping"),
        (
            {"formatters": {"f": {"class": "loghub.JSONFormatter", "static": {}}}},
            "formatter 'f': class='loghub.JSONFormatter': dictConfig would drop static: name the class with ()",
        ),
        (
            {"filters": {"f": {"class": "loghub.MetricsFilter"}}},
            "filter 'f': class='loghub.MetricsFilter': dictConfig would make a plain logging.Filter of it",
        ),
    ],
)
def test_what_dict_config_takes_in_silence_is_refused(config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configure(config)

    assert sentence in str(caught.value)


def test_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'loghub\[remote\]'"):
        configure({"handlers": {"h": SECRET | {"enabled": True, "url": "http://127.0.0.1:10"}}})


def test_switch_of_the_standard_library_may_come_from_the_environment() -> None:
    logger = logging.getLogger("made.long.before")

    configure({"disable_existing_loggers": "${NOT_SET_ANYWHERE:-false}"})

    assert logger.disabled is False


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("logging.ini", "", "give a file that ends in .yaml, .yml, .toml, .json"),
        ("logging.yaml", "a: [", "mend the file"),
        ("logging.yaml", "- 1", "must hold a mapping"),
        ("missing.yaml", None, "can be read"),
    ],
)
def test_wrong_file_says_what_to_do(name: str, text: str | None, sentence: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)

    with pytest.raises(ConfigError, match=sentence):
        configure(tmp_path / name)


def test_placeholder_of_a_dollar_format_is_written_with_two_dollars() -> None:
    configure(
        {
            "formatters": {"text": {"style": "$", "format": "<$${message}>"}},
            "handlers": {"h": {"class": "loghub.ConsoleHandler", "formatter": "text"}},
            "root": {"handlers": ["h"]},
        }
    )

    assert logging.getLogger().handlers[-1].format(logging.makeLogRecord({"msg": "hi"})) == "<hi>"


def test_placeholder_under_plain_dict_config_points_to_configure() -> None:
    config = {"version": 1, "handlers": {"f": {"class": "loghub.JSONFileHandler", "filename": "${LOGS}/app.jsonl"}}}

    with pytest.raises(ValueError, match="Unable to configure handler 'f'") as caught:
        logging.config.dictConfig(config)

    assert isinstance(caught.value.__cause__, ConfigError)
    assert "loghub.configure" in str(caught.value.__cause__)


def test_options_may_refer_to_other_parts_of_the_configuration(tmp_path: Path) -> None:
    configure(
        {
            "paths": {"log": str(tmp_path / "app.jsonl")},
            "handlers": {"f": {"class": "loghub.JSONFileHandler", "filename": "cfg://paths.log"}},
            "root": {"handlers": ["f"]},
        }
    )

    handler = logging.getLogger().handlers[-1]
    assert isinstance(handler, JSONFileHandler)
    assert handler.baseFilename == str(tmp_path / "app.jsonl")
