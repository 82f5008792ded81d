"""The charts: drawn on a canvas in the theme's colours, brushed with a mouse or with keys, and read without eyes."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from e2e.viewer_page import expect_live, rows
from processes import HubProcess

LEVELS = (
    "for n in range(6): logger.error('order %d failed', n)",
    "for n in range(4): logger.warning('order %d is late', n)",
)

PIXELS = """
element => {
  const canvas = element.querySelector('canvas');
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] === 255) colours.add(data.slice(at, at + 3).join());
  }
  return [...colours];
}
"""

COLOUR = """
name => {
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.color = `var(--${name})`;
  const found = getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).join();
  probe.remove();
  return found;
}
"""


def chart(page: Page) -> Locator:
    return page.get_by_role("slider", name="Events by time and level")


def expect_painted(page: Page, *colours: str) -> None:
    """Wait until the canvas has these colours of the theme; a screen shows no more than what is painted."""
    wanted = {page.evaluate(COLOUR, colour) for colour in colours}

    for _ in range(1000):
        if wanted <= set(chart(page).evaluate(PIXELS)):
            return

        page.wait_for_timeout(50)

    assert wanted <= set(chart(page).evaluate(PIXELS))


def open_with_events(hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None], **how: int) -> Page:
    log(hub, *LEVELS)
    page = open_page(hub.url, **how)
    expect(rows(page)).to_have_count(10)
    expect(chart(page)).to_have_attribute("aria-valuetext", re.compile("10 events"))
    return page


def test_chart_is_painted_in_the_colours_of_its_levels_and_again_when_the_theme_changes(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_with_events(hub, open_page, log)
    expect_painted(page, "error-area", "warning-area")
    light = page.evaluate(COLOUR, "error-area")

    page.emulate_media(color_scheme="dark")
    assert page.evaluate(COLOUR, "error-area") != light
    expect_painted(page, "error-area", "warning-area")

    page.get_by_role("button", name=re.compile("theme", re.IGNORECASE)).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.evaluate(COLOUR, "error-area") == light
    expect_painted(page, "error-area", "warning-area")


def test_chart_is_as_large_and_as_sharp_as_its_place(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *LEVELS)

    for density in (1, 2):
        page = open_page(hub.url, density=density)
        expect(rows(page)).to_have_count(10)

        for width, margins in ((900, 28), (360, 20), (1200, 28)):
            page.set_viewport_size({"width": width, "height": 700})
            expect(chart(page).locator("canvas")).to_have_attribute("width", str((width - margins) * density))


def test_counts_stand_below_the_pointer_and_in_a_table_for_those_who_do_not_see(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_with_events(hub, open_page, log)
    box = chart(page).bounding_box()
    assert box

    page.mouse.move(box["x"] + 5, box["y"] + 20)
    expect(chart(page)).to_contain_text(re.compile(r"^\s*\d\d:\d\d:\d\d: nothing"))
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 300)
    expect(chart(page)).not_to_contain_text("nothing")

    table = page.get_by_role("table", name="Events by time and level")
    expect(table.get_by_role("columnheader")).to_have_text(["From", "error", "warning"])
    expect(table.get_by_role("row").last).to_have_text(re.compile(r"all\s*6\s*4"))


def test_keys_walk_choose_and_zoom(hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]) -> None:
    page = open_with_events(hub, open_page, log)
    page.get_by_role("switch", name="Live").click()
    bar = chart(page)
    bar.focus()

    page.keyboard.press("End")
    newest = int(bar.get_attribute("aria-valuenow") or 0)
    page.keyboard.press("ArrowLeft")
    expect(bar).to_have_attribute("aria-valuenow", str(newest - 1))
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^\d\d:\d\d:\d\d: "))
    expect(page.get_by_role("row", selected=True)).to_have_count(0)
    page.keyboard.press("End")
    page.keyboard.press("Shift+PageDown")
    page.keyboard.press("Shift+PageDown")
    expect(bar).to_have_attribute("aria-valuetext", re.compile("–.*: 10 events"))
    page.keyboard.press("Escape")
    expect(bar).to_have_attribute("aria-valuetext", re.compile("^10 events from"))

    for key in ("End", "Shift+PageDown", "Shift+PageDown", "Enter"):
        page.keyboard.press(key)

    expect(page.get_by_role("button", name="Back to live")).to_be_visible()
    expect(rows(page)).to_have_count(10)
    expect(bar).to_be_focused()


def test_chart_stands_still_while_one_chooses_and_goes_on_afterwards(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_with_events(hub, open_page, log)
    expect_live(page)
    box = chart(page).bounding_box()
    assert box
    table = page.get_by_role("table", name="Events by time and level")

    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20, steps=3)
    before = table.inner_text()
    log(hub, "logger.critical('meanwhile')")
    expect(rows(page)).to_have_count(11)
    page.wait_for_timeout(2500)
    assert table.inner_text() == before
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20, steps=3)
    page.mouse.up()

    expect(table.get_by_role("columnheader", name="critical")).to_be_attached()
    expect(page.get_by_role("button", name="Back to live")).to_have_count(0)


def test_trends_are_painted_and_can_be_read(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *LEVELS)
    page = open_page(f"{hub.url}/#/patterns")

    trend = page.get_by_role("row").filter(has_text="order %d failed").get_by_role("img")
    expect(trend).to_have_attribute("aria-label", re.compile(r"^Trend: ([0-6], )+[0-6]$"))
    assert trend.evaluate(PIXELS) == [page.evaluate(COLOUR, "info-area")]
