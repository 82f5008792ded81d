"""Pictures of every screen and state, to be looked at; checked is that nothing overflows and that axe finds nothing."""

import json
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from e2e.viewer_page import ask, expect_live, row_with, rows
from processes import HubProcess

AXE = files("axe_playwright_python") / "axe.min.js"

BUSY = (
    "import random",
    "random.seed(7)",
    "levels = [logger.debug, logger.info, logger.info, logger.warning, logger.error]",
    "say = lambda n: random.choice(levels)('order %d priced', n, extra={'order_id': n, 'sku': f'sku-{n % 7}'})",
    "for n in range(300): say(n)",
    "logger.info('x' * 5000)",
    "try: {}['sku-1']",
    "except KeyError: logger.exception('pricing failed', extra={'request_id': 'r-77', 'user': {'id': 42}})",
)

SCREENS = ("Patterns", "Errors", "Request", "Sources", "Overview", "Settings")


def picture(page: Page, path: Path) -> None:
    """Take a picture; nothing may stand outside of the window."""
    page.screenshot(path=path)
    width, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= window


def faults(page: Page) -> list[str]:
    """Give what axe finds, as rule and place."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))

    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {json.dumps(node['target'])} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"][:3]
    ]


def shoot_dialogs(page: Page, shoot: Callable[[str], None]) -> None:
    for name in ("Saved", "Export", "View"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        shoot(name.lower())
        page.keyboard.press("Escape")

    page.get_by_role("button", name="Help").click()
    shoot("help")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Time range").select_option(label="Between …")
    expect(page.get_by_role("dialog", name="Time between")).to_be_visible()
    shoot("between")
    page.keyboard.press("Escape")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_every_screen_and_state_fits_the_window_and_axe_finds_nothing(
    scheme: str, width: int, hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None], shots: Path
) -> None:
    found: dict[str, list[str]] = {}

    def shoot(state: str) -> None:
        picture(page, shots / f"{state}-{scheme}-{width}.png")
        found[state] = faults(page)

    page = open_page(hub.url, width=width, scheme=scheme)
    expect_live(page)
    expect(page.get_by_text("RemoteHandler").first).to_be_visible()
    shoot("empty")

    log(hub, *BUSY)
    expect(row_with(page, "pricing failed")).to_have_count(1)
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile("^302 events"))
    shoot("busy")

    row_with(page, "pricing failed").click()
    expect(page.get_by_role("region", name="Event details")).to_be_visible()
    shoot("open")

    page.get_by_role("button", name="In context").click()
    expect(page.get_by_role("treegrid", name="Events around").get_by_role("row")).not_to_have_count(1)
    shoot("context")
    page.keyboard.press("Escape")

    shoot_dialogs(page, shoot)
    page.get_by_role("searchbox", name="Query").press_sequentially("service:")
    expect(page.get_by_role("option", name="shop")).to_be_visible()
    shoot("completion")
    page.keyboard.press("Escape")

    for screen in SCREENS:
        page.get_by_role("link", name=screen).click()
        expect(page.get_by_role("main", name=screen)).to_be_visible()

        if screen == "Request":
            page.get_by_label("Request or trace").fill("r-77")
            page.get_by_role("button", name="Show").click()

        if screen != "Settings":
            expect(page.locator("[aria-busy=true]")).to_have_count(0)
            expect(page.locator("main").get_by_role("button").first).to_be_visible()

        shoot(screen.lower())

    page.get_by_role("link", name="Logs").click()
    ask(page, "level>=warning (service:shop")
    expect(page.get_by_role("alert")).to_be_visible()
    shoot("error")

    ask(page, "service:nowhere")
    expect(rows(page)).to_have_count(0)
    shoot("nothing")

    hub.stop()
    expect(page.get_by_role("status").filter(has_text="lost")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_visible()
    shoot("lost")
    said = "\n".join(f"{state}: {fault}" for state, each in found.items() for fault in each)
    assert said == ""
