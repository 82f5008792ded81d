"""python-json-logger's own test suite, taken from its source distribution, passes on our formatter."""

import json
import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree as ET

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reference" / "python-json-logger.md"

DEVIATIONS = {
    "test_json_ensure_ascii_true": "looks for `json.dumps`'s spaces; ours has none, and escapes only if it is asked to",
    "test_json_ensure_ascii_false": "looks for `json.dumps`'s spaces; ours has none",
}
"""Tests of theirs that must fail on ours, and why; the page has the same rows."""

pytestmark = pytest.mark.timeout(600)  # a download and a build of metadata


def missing(what: str) -> NoReturn:
    """Skip where a user is offline; in CI, what is missing is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}; in CI this is an error")

    pytest.skip(what)


def suite(folder: Path) -> Path:
    """Download the source distribution of the installed version and give the folder that holds its tests."""
    wanted = f"python-json-logger=={version('python-json-logger')}"
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*pip, "--no-binary", "python-json-logger", "--dest", folder, wanted],
        check=False, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    archives = list(folder.glob("python_json_logger-*.tar.gz"))

    if done.returncode != 0 or not archives:
        missing(f"{wanted} could not be downloaded: {done.stderr.strip()[-400:]}")

    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")

    return next(folder.glob("python_json_logger-*/tests")).parent


def test_their_own_suite_passes_on_our_formatter(tmp_path: Path) -> None:
    if find_spec("freezegun") is None:
        missing("python-json-logger's tests need freezegun")

    root = suite(tmp_path)
    (root / "pytest.ini").write_text("[pytest]\n")
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "in_place", "-q", "--junit-xml", "result.xml", "tests"],
        check=False, cwd=root, capture_output=True, text=True, timeout=500,
        env={**os.environ, "PYTHONPATH": path, "LOGHUB_DEVIATIONS": json.dumps(DEVIATIONS)},
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    result = ET.parse(root / "result.xml").getroot()[0].attrib  # noqa: S314 (written by the line above)
    assert int(result["tests"]) > 200
    assert int(result["skipped"]) == len(DEVIATIONS)


def test_each_deviation_is_in_the_documentation() -> None:
    rows = PAGE.read_text()

    for name, reason in DEVIATIONS.items():
        assert f"| `{name}` | {reason} |" in rows
