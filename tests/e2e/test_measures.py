"""The measures of the viewer, taken in Chromium and printed (`pytest e2e/test_measures.py -s`).

No time is asserted, since machines differ; what has to stay bounded is. `LOGHUB_TEST_MEASURES` gives the seconds that
the storm lasts and that one scrolls: 60 where figures are published. What shows the viewer's own limit is
measured with an API that answers from no store (scripted_api.py), the way from call to screen with the real hub.
"""

import gzip
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from loghub.hub.api.viewer import STATIC

from e2e.viewer_page import expect_live, rows
from processes import HubProcess, wait_for

SECONDS = float(os.environ.get("LOGHUB_TEST_MEASURES") or 5)
MILLION = 1_000_000
STORM = 10_000  # events a second

pytestmark = pytest.mark.timeout(300 + 4 * SECONDS)

WATCH = """
() => {
  window.seen = {tasks: [], frames: []};
  new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((one) => one.duration)))
    .observe({type: 'longtask'});
  let last;
  const frame = (now) => {
    if (last !== undefined) seen.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
"""

USABLE = """
() => {
  const look = () => {
    const box = document.querySelector('[aria-label=Query]');
    const live = document.querySelector('[aria-label=Connection]')?.textContent === 'live';
    if (box && window.boxAt === undefined) window.boxAt = performance.now();
    if (live) window.liveAt = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
"""

LATENCIES = """
(number) => new Promise((resolve) => {
  const found = new Map();
  const look = () => {
    for (const row of document.querySelectorAll('[role=row][data-id]')) {
      const sent = /sent at (\\d+)/.exec(row.textContent)?.[1];
      if (sent && !found.has(sent)) found.set(sent, Date.now() - Number(sent));
    }
    if (found.size >= number) resolve([...found.values()]);
    else requestAnimationFrame(look);
  };
  look();
})
"""

TYPING = """
async ([ms, every]) => {
  const delays = [];
  const until = performance.now() + ms;
  const box = document.querySelector('[aria-label=Query]');
  while (performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, every));
    const start = performance.now();
    box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Shift', bubbles: true}));
    await new Promise((resolve) => setTimeout(resolve));
    await new Promise(requestAnimationFrame);
    delays.push(performance.now() - start);
  }
  return delays;
}
"""


def say(name: str, value: str) -> None:
    sys.stdout.write(f"| {name} | {value} |\n")


def spread(values: list[float]) -> str:
    ranked = sorted(values) or [0.0]
    p50, p95 = ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.95)]
    return f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, worst {ranked[-1]:.0f} ms, of {len(values)}"


def figures(session: CDPSession) -> dict[str, float]:
    """Give Chromium's own counters, after a full collection of garbage."""
    session.send("HeapProfiler.collectGarbage")
    found: dict[str, Any] = session.send("Performance.getMetrics")
    return {one["name"]: float(one["value"]) for one in found["metrics"]}


def watched(page: Page) -> CDPSession:
    """Begin to measure a page."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.evaluate(WATCH)
    return session


def scroll(page: Page, session: CDPSession) -> None:
    """Turn the wheel as Chromium's own gestures do, and drag the bar to another place now and then."""
    places = random.Random(7)
    until = time.monotonic() + SECONDS

    while time.monotonic() < until:
        gesture = {"x": 700, "y": 500, "yDistance": -4000, "speed": 4000, "gestureSourceType": "mouse"}
        session.send("Input.synthesizeScrollGesture", gesture)
        part = places.random()
        page.evaluate(
            "(part) => { const grid = document.querySelector('[role=treegrid]');"
            " grid.scrollTo({top: part * grid.scrollHeight}); }",
            part,
        )


def say_work(what: str, before: dict[str, float], after: dict[str, float], frames: int) -> None:
    """Print what the page's thread did for each frame: less noisy than how long frames took."""
    parts = {"tasks": "TaskDuration", "script": "ScriptDuration", "layout": "LayoutDuration"}
    each = [f"{name} {1000 * (after[key] - before[key]) / max(frames, 1):.1f} ms" for name, key in parts.items()]
    say(f"{what}: work for each frame", ", ".join(each))


def test_first_load_is_small_and_the_page_is_soon_usable(hub: HubProcess, open_page: Callable[..., Page]) -> None:
    page = open_page(hub.url, watch=lambda page: page.add_init_script(f"({USABLE})()"))
    expect_live(page)
    page.wait_for_function("() => window.liveAt")
    loaded = page.evaluate(
        "performance.getEntriesByType('resource').map(one => one.name).filter(one => /js$/.test(one))"
    )
    packed = sum(len(gzip.compress((STATIC / "assets" / Path(name).name).read_bytes())) for name in loaded)

    box, live = page.evaluate("[window.boxAt, window.liveAt]")
    say("JavaScript of the first load, gzipped", f"{packed / 1000:.1f} kB")
    say("query box usable, and live, after", f"{box:.0f} ms, {live:.0f} ms")
    assert packed < 100_000


def test_event_is_on_the_screen_soon_after_its_call(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    number = 40
    page = open_page(hub.url)
    expect_live(page)
    page.evaluate(f"() => {{ window.latencies = ({LATENCIES})({number}) }}")

    each = "logger.info('sent at %d', time.time_ns() // 1_000_000); time.sleep(0.073)"
    log(hub, "import time", f"for _ in range({number}):\n    {each}")

    say("from the logging call to the screen", spread(page.evaluate("window.latencies")))
    expect(rows(page)).not_to_have_count(0)


def test_a_million_rows_scroll(scripted: Callable[..., str], open_page: Callable[..., Page]) -> None:
    page = open_page(f"{scripted(events=MILLION)}/#/logs?live=0&range=all")
    grid = page.get_by_role("treegrid", name="Events")
    expect(grid).to_have_attribute("aria-rowcount", str(MILLION + 1))
    session = watched(page)
    before = figures(session)
    page.evaluate("() => { seen.frames.length = seen.tasks.length = 0 }")

    scroll(page, session)

    seen = page.evaluate("seen")
    after = figures(session)
    say("1 000 000 rows, scrolled: frames", spread(seen["frames"]))
    say("1 000 000 rows, scrolled: frames over 50 ms", str(sum(one > 50 for one in seen["frames"])))
    say(
        "1 000 000 rows, scrolled: tasks over 50 ms",
        f"{len(seen['tasks'])}, longest {max(seen['tasks'], default=0):.0f} ms",
    )
    say_work("1 000 000 rows, scrolled", before, after, len(seen["frames"]))
    assert page.evaluate("document.querySelectorAll('*').length") < 3000


def test_storm_leaves_the_page_usable_and_what_it_holds_bounded(
    scripted: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    url = scripted(rate=STORM)
    page = open_page(url)
    expect_live(page)
    session = watched(page)
    # The buffer is full before it is measured.
    wait_for(lambda: page.request.get(f"{url}/script").json()["sent"] > 2 * STORM)
    before, sent = figures(session), page.request.get(f"{url}/script").json()["sent"]
    page.evaluate("() => { seen.frames.length = seen.tasks.length = 0 }")

    typed = page.evaluate(TYPING, [SECONDS * 1000, 100])

    seen = page.evaluate("seen")
    after = figures(session)
    came = page.request.get(f"{url}/script").json()["sent"] - sent
    say("10 000 events/s: came", f"{came} in about {SECONDS:.0f} s")
    say("10 000 events/s: frames", spread(seen["frames"]))
    say("10 000 events/s: tasks over 50 ms", f"{len(seen['tasks'])}, longest {max(seen['tasks'], default=0):.0f} ms")
    say("10 000 events/s: from a key to the next frame", spread(typed))
    say_work("10 000 events/s", before, after, len(seen["frames"]))
    heap = [one["JSHeapUsedSize"] / 1e6 for one in (before, after)]
    say("10 000 events/s: heap at the start and at the end", f"{heap[0]:.1f} MB, {heap[1]:.1f} MB")
    assert heap[1] < heap[0] + 30
    assert page.evaluate("document.querySelectorAll('*').length") < 3000
