"""The applications of the migration page log the same before and after."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "migrate.md"
_SECTION = re.compile(r"^## From (\S+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
Line = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What the page promises to be the same."""

    level: str
    message: str
    values: tuple[tuple[str, Any], ...]
    last_line_of_exception: str | None


_VALUES = ("service", "order", "total", "request_id")


def _values(line: Line) -> tuple[tuple[str, Any], ...]:
    return tuple((key, line[key]) for key in _VALUES if key in line)


def _last(text: str | None) -> str | None:
    return text.strip().splitlines()[-1] if text else None


def of_flat(line: Line) -> Told:
    """Read a line of python-json-logger or of ours."""
    return Told(line["level"], line["message"], _values(line), _last(line.get("exc_info")))


def of_structlog(line: Line) -> Told:
    return Told(line["level"].upper(), line["event"], _values(line), _last(line.get("exception")))


def of_loguru(line: Line) -> Told:
    record = line["record"]
    error = record["exception"] and f"{record['exception']['type']}: {record['exception']['value']}"
    return Told(record["level"]["name"], record["message"], _values(record["extra"]), error)


BEFORE: dict[str, Callable[[Line], Told]] = {
    "python-json-logger": of_flat,
    "structlog": of_structlog,
    "loguru": of_loguru,
}
BLOCKS = {match[1]: _BLOCK.findall(match[2]) for match in _SECTION.finditer(PAGE.read_text())}


def lines_of(code: str) -> list[Line]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_there_is_a_section_for_each_library() -> None:
    assert BLOCKS.keys() == BEFORE.keys()


@pytest.mark.parametrize("library", BEFORE)
def test_application_logs_the_same_before_and_after(library: str) -> None:
    before, *after = BLOCKS[library]
    told = [BEFORE[library](line) for line in lines_of(before)]

    assert [(one.level, one.message) for one in told] == [
        ("INFO", "order placed"), ("ERROR", "payment failed"), ("WARNING", "idle"),
    ]  # fmt: skip
    assert told[0].values == (("service", "shop"), ("order", "o-7"), ("total", 12.5), ("request_id", "r-1"))
    assert told[1].last_line_of_exception == "ZeroDivisionError: float division by zero"
    assert after

    for code in after:
        assert [of_flat(line) for line in lines_of(code)] == told


def test_name_of_the_class_is_all_that_has_to_change() -> None:
    before = BLOCKS["python-json-logger"][0]
    after = before.replace("pythonjsonlogger.json import JsonFormatter", "loghub import JSONFormatter as JsonFormatter")

    assert after != before
    assert [_timeless(line) for line in lines_of(after)] == [_timeless(line) for line in lines_of(before)]


def _timeless(line: Line) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in line.items() if key != "timestamp"]
