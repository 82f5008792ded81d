import json
import logging
import logging.config
from pathlib import Path
from typing import Any

import pytest

from loghub.config import configure
from loghub.errors import ConfigError
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


@pytest.mark.parametrize(("name", "text"), [("logging.yaml", YAML), ("logging.toml", TOML)])
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


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        (
            {"class": "loghub.JSONFileHandler", "filename": "x", "rotate": "100 XB"},
            "handler 'h': JSONFileHandler: rotate='100 XB': give a size",
        ),
        (
            {"class": "loghub.JSONFileHandler", "filename": "x", "rotat": "1 MB"},
            "handler 'h': JSONFileHandler: rotat='1 MB': there is no such option; did you mean 'rotate'",
        ),
        ({"class": "loghub.JSONFilHandler"}, "handler 'h': class='loghub.JSONFilHandler': name a class that can be"),
        (
            {"class": "loghub.JSONFileHandler", "filename": "${NOWHERE}"},
            "filename='${NOWHERE}': set NOWHERE in the env",
        ),
        ({"class": "logging.FileHandler", "filename": "x", "speed": 1}, "handler 'h'"),
        ({"class": "loghub.ConsoleHandler", "level": "LOUD"}, "handler 'h'"),
    ],
)
def test_wrong_option_ends_in_one_sentence_with_handler_option_value_and_remedy(
    handler: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        configure({"handlers": {"h": handler}, "root": {"handlers": ["h"]}})

    assert sentence in str(caught.value)


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
