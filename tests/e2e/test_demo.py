"""`loghub demo` as a stranger sees it; the picture of the README is taken here."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from e2e.viewer_page import ask, expect_live, rows

EXCEPTIONS = 6 if "LOGHUB_TEST_SHOTS" in os.environ else 0
"""A picture for the README wants some history."""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """Give the address of a running demo."""
    command = [
        sys.executable,
        "-m",
        "loghub.cli",
        "demo",
        "--no-browser",
        "--port",
        "0",
        "--data",
        str(tmp_path / "data"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    said = ""

    while not (found := re.search(r"listens at (http://\S+)", said)):
        line = process.stdout.readline()
        assert line, said
        said += line

    yield found[1]

    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    counts = re.search(r"The services logged (\d+) records; the hub has (\d+)", rest)
    assert counts is not None, rest
    assert counts[1] == counts[2]


def hold_at(page: Page, wanted: Locator) -> None:
    """Hold the live list still while such a row is in it: the page has those alone that are seen, and they go down."""
    while True:
        expect(wanted.first).to_be_visible(timeout=100_000)
        page.keyboard.press("Space")

        if wanted.count():
            return

        page.keyboard.press("Space")


@pytest.mark.pictures
def test_demo_shows_the_shop_live_and_loses_nothing(demo: str, open_page: Callable[..., Page], shots: Path) -> None:
    page = open_page(demo, scheme="dark")
    expect_live(page)
    page.get_by_label("Time range").select_option(label="All time")

    for service in ("shop", "catalog", "payments"):
        expect(page.get_by_role("gridcell", name=service, exact=True).first).to_be_visible(timeout=30_000)

    ask(page, "level>=warning exception:*")
    failed = rows(page).filter(has=page.get_by_role("gridcell", name="ERR", exact=True))
    expect(failed.nth(EXCEPTIONS)).to_be_visible(timeout=120_000)
    ask(page, "level>=info -logger:loghub.access -logger:uvicorn")
    expect(rows(page).nth(20)).to_be_visible()

    page.keyboard.press("Escape")
    hold_at(page, failed)
    failed.first.click()
    details = page.get_by_role("region", name="Event details")
    expect(details).to_be_visible()
    page.screenshot(path=shots / "viewer.png")
    assert (shots / "viewer.png").stat().st_size > 20_000
