"""A list of three million: higher than a browser's box, entered anywhere, left nowhere."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from e2e.viewer_page import row_with, rows

MILLIONS = 3_000_000
NEWEST = f"event {MILLIONS - 1:07d}"


def grid(page: Page) -> Locator:
    return page.get_by_role("treegrid", name="Events")


def numbers(page: Page) -> list[int]:
    """Give the numbers of the events in sight, from top to bottom."""
    return [
        int(found)
        for found in page.evaluate(
            """() => {
              const {top, bottom} = document.querySelector('[role=treegrid]').getBoundingClientRect();
              return [...document.querySelectorAll('[role=row][data-id]')]
                .map((row) => [row.getBoundingClientRect(), /event (\\d+)/.exec(row.textContent)?.[1]])
                .filter(([box]) => box.top >= top + 23 && box.bottom <= bottom)
                .sort((a, b) => a[0].top - b[0].top)
                .map(([, number]) => number);
            }"""
        )
    ]


def open_list(page: Page) -> Page:
    expect(row_with(page, NEWEST)).to_have_count(1)
    expect(grid(page)).to_have_attribute("aria-rowcount", str(MILLIONS + 1))
    return page


def drag_bar(page: Page, part: float) -> None:
    """Put the scroll bar where a mouse would: a part of its way."""
    grid(page).evaluate(
        "(grid, part) => grid.scrollTo({top: part * (grid.scrollHeight - grid.clientHeight)})", part
    )  # fmt: skip


def expect_rows_about(page: Page, number: float, within: float) -> None:
    page.wait_for_function(
        """([number, within]) => {
          const {top, bottom} = document.querySelector('[role=treegrid]').getBoundingClientRect();
          const seen = [...document.querySelectorAll('[role=row][data-id]')].filter((row) => {
            const box = row.getBoundingClientRect();
            return box.bottom > top + 24 && box.top < bottom;
          });
          return seen.length > 10 && seen.every((row) =>
            Math.abs(Number(/event (\\d+)/.exec(row.textContent)?.[1]) - number) <= within);
        }""",
        arg=[number, within],
    )


def test_first_middle_and_last_of_three_millions_are_reached_with_the_bar(
    scripted: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    page = open_list(open_page(f"{scripted(events=MILLIONS)}/#/logs?live=0&range=all"))

    for part in (0.5, 0.123, 0.9):
        drag_bar(page, part)
        expect_rows_about(page, MILLIONS * (1 - part), 500)
        seen = numbers(page)
        assert seen == list(range(seen[0], seen[0] - len(seen), -1))

    drag_bar(page, 1)
    expect(row_with(page, "event 0000000")).to_be_in_viewport()
    assert numbers(page)[-1] == 0
    expect(page.get_by_text("No older events in this range")).to_be_attached()
    drag_bar(page, 0)
    expect(row_with(page, NEWEST)).to_be_in_viewport()
    assert numbers(page)[0] == MILLIONS - 1


def test_wheel_goes_by_rows_in_a_list_of_three_millions(
    scripted: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    page = open_list(open_page(f"{scripted(events=MILLIONS)}/#/logs?live=0&range=all"))
    drag_bar(page, 0.5)
    expect_rows_about(page, MILLIONS / 2, 500)
    page.wait_for_timeout(300)
    box = grid(page).bounding_box()
    assert box
    page.mouse.move(box["x"] + 300, box["y"] + 300)

    for down in (22, 66, -44, 220):
        before = numbers(page)[0]
        page.mouse.wheel(0, down)
        expect_first(page, before - down // 22)

    # Where the bar is put back to its place, the rows stay.
    still = numbers(page)
    page.wait_for_timeout(400)
    assert numbers(page) == still

    for _ in range(40):
        page.mouse.wheel(0, 440)

    expect_first(page, still[0] - 40 * 20)


def expect_first(page: Page, number: int) -> None:
    for _ in range(1000):
        if numbers(page)[:1] == [number]:
            return

        page.wait_for_timeout(30)

    assert numbers(page)[0] == number


def test_keys_reach_both_ends_and_walk_on_from_there(
    scripted: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    page = open_list(open_page(f"{scripted(events=MILLIONS)}/#/logs?live=0&range=all"))

    page.keyboard.press("Shift+G")
    expect(row_with(page, "event 0000000")).to_be_in_viewport()
    page.keyboard.press("k")
    expect(page.get_by_role("row", selected=True)).to_contain_text("event 0000001")
    page.keyboard.press("g")
    expect(row_with(page, NEWEST)).to_be_in_viewport()
    expect(grid(page)).to_have_attribute("aria-rowcount", str(MILLIONS + 1))
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    expect(row_with(page, NEWEST)).to_have_count(0)
    page.keyboard.press("End")
    expect(row_with(page, "event 0000000")).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(row_with(page, NEWEST)).to_be_in_viewport()


def test_oldest_first_is_entered_anywhere_too(scripted: Callable[..., str], open_page: Callable[..., Page]) -> None:
    page = open_list(open_page(f"{scripted(events=MILLIONS)}/#/logs?live=0&range=all"))
    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_role("radio", name="oldest").check(force=True)
    page.keyboard.press("Escape")
    expect(row_with(page, NEWEST)).to_be_in_viewport()

    drag_bar(page, 0.25)
    expect_rows_about(page, MILLIONS * 0.25, 500)
    seen = numbers(page)
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    drag_bar(page, 0)
    expect(row_with(page, "event 0000000")).to_be_in_viewport()


def test_places_of_rows_are_told_to_those_who_do_not_see(
    scripted: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    page = open_list(open_page(f"{scripted(events=MILLIONS)}/#/logs?live=0&range=all"))
    drag_bar(page, 0.5)
    expect_rows_about(page, MILLIONS / 2, 500)
    places = [int(row.get_attribute("aria-rowindex") or 0) for row in rows(page).all()[:5]]
    assert all(abs(place - MILLIONS / 2) < 2000 for place in places)
    expect(page.get_by_role("status").filter(has_text=re.compile("Loading"))).to_have_count(0)
