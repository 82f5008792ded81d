"""CPython's own tests of file handlers and dictConfig pass with `JSONFileHandler` in the place of each class."""

import json
import logging
import logging.handlers
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("standard_in_place.py")
GROUPS = (
    ("HandlerTest",),
    ("TimedRotatingFileHandlerTest",),
    (
        "RotatingFileHandlerTest",
        "FileHandlerTest",
        "EncodingTest",
        "BasicConfigTest",
        "ConfigFileTest",
        "ConfigDictTest",
    ),
)
LEAST = 80  # tests that each of the supported Pythons has


def rolls_an_empty_file(folder: Path) -> bool:
    """Tell whether this Python's own handler still rolls over an empty file (gh-116263)."""
    handler = logging.handlers.RotatingFileHandler(folder / "empty.log", maxBytes=1)

    try:
        return bool(handler.shouldRollover(logging.makeLogRecord({"msg": "x"})))
    finally:
        handler.close()


def run(cases: tuple[str, ...], folder: Path) -> tuple[int, dict[str, str]]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *cases], check=False, cwd=folder, capture_output=True, text=True, timeout=250
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    return found["run"], found["failed"]


def test_their_own_cases_pass_with_our_class_in_place(tmp_path: Path) -> None:
    if find_spec("test") is None or find_spec("test.test_logging") is None:
        if os.environ.get("CI"):
            pytest.fail("this Python ships without test.test_logging; in CI this is an error")

        pytest.skip("this Python ships without test.test_logging")

    folders = [tmp_path / str(place) for place in range(len(GROUPS))]

    for folder in folders:
        folder.mkdir()

    with ThreadPoolExecutor() as pool:
        results = list(pool.map(run, GROUPS, folders))

    failed = {name: text for _, wrong in results for name, text in wrong.items()}

    # Before 3.12.3 theirs asserts that an empty file is rolled over. Ours never is, as in the Pythons since.
    expected = {"test_should_rollover"} if rolls_an_empty_file(tmp_path) else set()
    assert set(failed) == expected, failed
    assert sum(number for number, _ in results) >= LEAST
