import io
import json
import logging
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loghub.errors import ConfigError
from loghub.formatters import JSONFormatter
from loghub.handlers.console import ConsoleHandler


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, message: str = "hello", **options: Any) -> str:
    extra = options.pop("extra", {})
    handler = ConsoleHandler(stream, **options)
    made = logging.makeLogRecord({"name": "shop", "msg": message, "levelname": "INFO", "levelno": 20, **extra})
    handler.handle(made)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def _no_colour_wishes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "LOGHUB_CONSOLE"):
        monkeypatch.delenv(name, raising=False)


def test_pipe_gets_json_and_terminal_gets_a_readable_line() -> None:
    assert json.loads(shown(io.StringIO()))["message"] == "hello"

    text = shown(Terminal(), extra={"order_id": 5, "note": "two words"})
    assert "\x1b[36mINFO" in text
    assert 'order_id=5 note="two words"' in text


def test_style_says_which_where_auto_is_not_wanted() -> None:
    assert "INFO     shop hello" in shown(io.StringIO(), style="text")
    assert json.loads(shown(Terminal(), style="json"))["message"] == "hello"


def test_no_color_and_force_color_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in shown(io.StringIO(), style="text")

    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in shown(Terminal())


def test_control_characters_are_shown_and_not_sent() -> None:
    text = shown(io.StringIO(), "a\x1b[2Jb\rc\nd\u202e", style="text")

    assert text.count("\n") == 1
    assert "a\\x1b[2Jb\\rc\\nd\\u202e" in text


def test_columns_stand_below_each_other() -> None:
    stream = io.StringIO()
    handler = ConsoleHandler(stream, style="text")

    for name, level in (("shop.checkout", "WARNING"), ("db", "INFO")):
        handler.handle(logging.makeLogRecord({"name": name, "msg": "hello", "levelname": level, "levelno": 20}))

    first, second = stream.getvalue().splitlines()
    assert first.index("hello") == second.index("hello")


def test_extras_that_do_not_fit_go_below_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    lines = shown(Terminal(), extra={f"key_{n}": "value" for n in range(12)}).splitlines()

    assert lines[0].endswith("shop hello")
    assert len(lines) > 2
    assert all(len(line) <= 60 for line in lines)
    assert " ".join(line.strip() for line in lines[1:]) == " ".join(f"key_{n}=value" for n in range(12))


def test_exception_on_a_terminal_is_shown_with_the_source_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")

    try:
        raise ValueError("price\x1b[2J")
    except ValueError:
        text = shown(Terminal(), extra={"exc_info": sys.exc_info()})

    assert 'raise ValueError("price' in text
    assert 'monkeypatch.setenv("COLUMNS"' in text, "the lines around"
    assert "\x1b" not in text


def test_lines_of_several_threads_and_processes_are_not_broken(tmp_path: Path) -> None:
    code = (
        "import logging, sys, threading, loghub\n"
        "logging.getLogger().addHandler(loghub.ConsoleHandler(style=sys.argv[2]))\n"
        "def write():\n"
        "    for n in range(100): logging.warning('%s', sys.argv[1] * 2000)\n"
        "threads = [threading.Thread(target=write) for _ in range(3)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]"
    )

    with (tmp_path / "out").open("wb") as out:
        commands = [[sys.executable, "-c", code, letter, style] for letter in "abc" for style in ("text", "json")]
        writers = [subprocess.Popen(command, stderr=out) for command in commands]
        assert [writer.wait(60) for writer in writers] == [0] * 6

    lines = (tmp_path / "out").read_text().splitlines()
    assert len(lines) == 1800
    assert all(line.count(letter * 2000) == 1 for line in lines for letter in "abc" if letter * 10 in line)


def test_exception_stands_below_its_line() -> None:
    try:
        raise ValueError("price")
    except ValueError:
        text = shown(io.StringIO(), style="text", extra={"exc_info": sys.exc_info()})

    assert text.splitlines()[1] == "Traceback (most recent call last):"
    assert text.rstrip().endswith("ValueError: price")


def test_environment_switches_the_console_off_without_touching_the_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(io.StringIO(), enabled=False) == ""

    monkeypatch.setenv("SHOP_CONSOLE", "0")
    assert shown(io.StringIO(), enabled="env:SHOP_CONSOLE") == ""

    monkeypatch.setenv("LOGHUB_CONSOLE", "1")
    assert shown(io.StringIO(), enabled="env:SHOP_CONSOLE") != ""


def test_formatter_of_another_package_is_used_as_it_is() -> None:
    stream = Terminal()
    handler = ConsoleHandler(stream)
    handler.setFormatter(logging.Formatter("<%(message)s>"))

    handler.handle(logging.makeLogRecord({"msg": "hello"}))

    assert stream.getvalue() == "<hello>\n"


def test_static_fields_of_the_formatter_are_shown() -> None:
    stream = Terminal()
    handler = ConsoleHandler(stream)
    handler.setFormatter(JSONFormatter(static={"region": "eu"}))

    handler.handle(logging.makeLogRecord({"msg": "hello"}))

    assert "region=eu" in stream.getvalue()


def test_what_the_formatter_masks_is_not_shown_to_people_either() -> None:
    stream = Terminal()
    handler = ConsoleHandler(stream)
    handler.setFormatter(JSONFormatter(mask=["password"]))
    made = {"msg": "signed in with %(password)s", "args": ({"password": "hunter2-hunter2"},), "token": "x"}

    try:
        raise ValueError("hunter2-hunter2")
    except ValueError:
        record = logging.makeLogRecord(made | {"password": "hunter2-hunter2", "exc_info": sys.exc_info()})

    handler.handle(record)

    assert "hunter2" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_hook_of_a_subclass_runs_on_a_terminal_too() -> None:
    class Without(JSONFormatter):
        def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
            log_data.pop("password", None)
            return log_data

    stream = Terminal()
    handler = ConsoleHandler(stream)
    handler.setFormatter(Without())
    handler.handle(logging.makeLogRecord({"msg": "hello", "password": "hunter2"}))

    assert "hunter2" not in stream.getvalue()


def test_broken_stream_is_counted_and_not_raised() -> None:
    stream = io.StringIO()
    handler = ConsoleHandler(stream)
    stream.close()

    handler.handle(logging.makeLogRecord({"msg": "hello"}))

    assert handler.lost == 1


def test_wrong_options_are_named() -> None:
    with pytest.raises(ConfigError, match="ConsoleHandler: style='loud': give one of auto, text, json"):
        ConsoleHandler(style="loud")

    with pytest.raises(ConfigError, match="ConsoleHandler: enabled='maybe': write true, false"):
        ConsoleHandler(enabled="maybe")


def test_real_terminal_gets_colours_and_a_real_pipe_gets_json() -> None:
    code = "import logging, loghub; logging.getLogger().addHandler(loghub.ConsoleHandler()); logging.error('hi')"
    environment = {**os.environ, "TERM": "xterm"}
    piped = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)
    assert json.loads(piped.stderr)["message"] == "hi"

    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", code], check=True, stderr=theirs, env=environment)
    assert b"\x1b[31mERROR" in os.read(ours, 4096)
    os.close(ours)
    os.close(theirs)
