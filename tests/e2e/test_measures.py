"""The measures of the viewer, taken in Chromium and printed (`pytest -s`).

No time is asserted, since machines differ; what has to stay bounded is.
"""

import sys
from collections.abc import Callable

from playwright.sync_api import Page, expect

from e2e.viewer_page import expect_live, row_with
from processes import HubProcess

FRAMES = """
async () => {
  const grid = document.querySelector('[role=treegrid]');
  const lengths = [];
  let last = performance.now();
  for (let frame = 0; frame < 120; frame++) {
    grid.scrollBy(0, 120);
    await new Promise(requestAnimationFrame);
    lengths.push(performance.now() - last);
    last = performance.now();
  }
  lengths.sort((a, b) => a - b);
  return {median: lengths[60], worst: lengths.at(-1)};
}
"""

LATENCY = """
async () => {
  const found = await new Promise((resolve) => {
    const look = () => {
      const rows = [...document.querySelectorAll('[role=row][data-id]')];
      const row = rows.find((one) => one.textContent.includes('sent at '));
      if (row) resolve(Date.now() - Number(/sent at (\\d+)/.exec(row.textContent)[1]));
      else requestAnimationFrame(look);
    };
    look();
  });
  return found;
}
"""


def say(name: str, value: str) -> None:
    sys.stdout.write(f"{name}: {value}\n")


def test_first_load_is_small_and_the_page_is_soon_usable(hub: HubProcess, open_page: Callable[..., Page]) -> None:
    page = open_page(hub.url)
    expect_live(page)

    bytes_ = page.evaluate(
        "performance.getEntriesByType('resource').filter(one => one.name.endsWith('.js'))"
        ".reduce((sum, one) => sum + one.decodedBodySize, 0)"
    )
    ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    say("JavaScript of the first load, not compressed", f"{bytes_ / 1000:.0f} kB")
    say("usable after", f"{ready:.0f} ms")
    assert bytes_ < 300_000


def test_event_is_on_the_screen_soon_after_its_call(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)
    page.evaluate(f"() => {{ window.latency = ({LATENCY})() }}")

    log(hub, "import time", "logger.info('sent at %d', time.time_ns() // 1_000_000)", "time.sleep(2)")

    say("from the call to the screen", f"{page.evaluate('window.latency')} ms")
    expect(row_with(page, "sent at")).to_have_count(1)


def test_storm_leaves_the_page_usable_and_what_it_holds_bounded(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)

    log(hub, "for n in range(30_000): logger.info('storm %d', n)")

    hub.wait_for_events('"storm 29999"', 1)
    expect(row_with(page, "storm 29999")).not_to_have_count(0)
    frames = page.evaluate(FRAMES)
    say("frames while scrolling, median and worst", f"{frames['median']:.0f} ms, {frames['worst']:.0f} ms")
    assert int(page.get_by_role("treegrid").get_attribute("aria-rowcount") or 0) <= 20_001
    assert page.evaluate("document.querySelectorAll('*').length") < 3000
