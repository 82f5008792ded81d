"""The live tail's states, each where one sees it: connecting, live, paused, behind, lost; gaps and samples."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from e2e.viewer_page import expect_live, row_with, rows, send_frames
from processes import HubProcess


def expect_state(page: Page, word: str) -> None:
    expect(page.get_by_role("status", name="Connection")).to_have_text(word)


def test_connecting_is_said_until_the_first_frame(hub: HubProcess, open_page: Callable[..., Page]) -> None:
    def silent(page: Page) -> None:
        page.route_web_socket("**/api/v1/tail**", lambda socket: socket.on_message(lambda _: None))

    page = open_page(hub.url, watch=silent)
    expect_state(page, "connecting")


def test_live_paused_and_lost_are_said(hub: HubProcess, open_page: Callable[..., Page]) -> None:
    page = open_page(hub.url)
    expect_live(page)
    page.get_by_role("button", name="Pause").click()
    expect_state(page, "paused")
    page.get_by_role("button", name="Resume").click()
    expect_state(page, "live")
    hub.stop()
    expect_state(page, "lost")


def test_gap_is_a_row_that_fills_itself_from_the_store(
    scripted: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    """The store has 100; the tail was moved past all but the ends."""
    url = scripted(events=100)
    page = open_page(f"{url}/#/logs?range=all")
    expect_live(page)
    expect(row_with(page, "event 0000099")).to_have_count(1)

    send_frames(url, {"type": "gap", "count": 40, "to": "9"})
    expect_state(page, "behind")
    gap = page.get_by_role("row").filter(has_text="40 events came faster than this page could take")
    expect(gap).to_be_visible()
    gap.get_by_role("button", name="Show them").click()

    expect(gap).to_have_count(0)
    expect_state(page, "live")
    assert rows(page).count() > 20


def test_sample_says_of_how_many_it_shows_one(scripted: Callable[..., str], open_page: Callable[..., Page]) -> None:
    url = scripted(events=10)
    page = open_page(url)
    expect_live(page)
    send_frames(url, {"type": "sampled", "shown": 1, "of": 40})
    expect(page.get_by_text("showing 1 of 40")).to_be_visible()
    send_frames(url, {"type": "sampled", "shown": 1, "of": 1})
    expect(page.get_by_text("showing 1 of")).to_have_count(0)


def test_more_than_an_eye_can_follow_is_said_and_pausing_shows_them_all(
    scripted: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    page = open_page(scripted(rate=10_000))
    expect_live(page)
    expect(page.get_by_text(re.compile(r"showing 1 of \d"))).to_be_visible()

    page.keyboard.press("Space")
    expect_state(page, "paused")
    numbers = page.get_by_role("treegrid").locator("[data-id]").evaluate_all(
        "rows => rows.map(row => Number(/event (\\d+)/.exec(row.textContent)[1])).sort((a, b) => b - a)"
    )  # fmt: skip
    assert numbers == list(range(numbers[0], numbers[0] - len(numbers), -1))
