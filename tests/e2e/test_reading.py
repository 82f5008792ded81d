"""Reading while the hub goes on: what stays where it is, and what the page says of it."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from e2e.viewer_page import ask, expect_live, row_with, rows
from processes import HubProcess

MANY = "for n in range(120): logger.info('line %d of many', n)"


def is_on_top(element: Locator) -> bool:
    """Tell whether a click at the middle of the element would meet it."""
    return bool(
        element.evaluate(
            """element => {
              const box = element.getBoundingClientRect();
              const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
              return element.contains(found);
            }"""
        )
    )


def scroll_down(page: Page) -> None:
    page.get_by_role("treegrid", name="Events").evaluate("grid => grid.scrollTo({top: 800})")
    expect(row_with(page, "line 119 of many")).to_have_count(0)


def test_events_that_arrive_below_the_top_are_announced_in_sight_and_jumped_to(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    for width in (1440, 360):
        page = open_page(hub.url, width=width)
        expect_live(page)
        log(hub, MANY)
        expect(row_with(page, "line 119 of many")).not_to_have_count(0)
        scroll_down(page)
        log(hub, f"for n in range(3): logger.info('news for {width}')")

        button = page.get_by_role("button", name="3 new")
        expect(button).to_be_in_viewport()
        assert is_on_top(button)
        grid, place = page.get_by_role("treegrid", name="Events").bounding_box(), button.bounding_box()
        assert grid
        assert place
        assert place["y"] - grid["y"] < 60
        assert place["x"] > grid["x"] + grid["width"] / 2

        button.click()
        expect(row_with(page, f"news for {width}")).to_have_count(3)
        expect(button).to_have_count(0)


def test_only_what_was_looked_for_in_messages_is_marked(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)
    log(hub, "logger.info('a cart of apples', extra={'note': 'apples'})", service="cart")

    ask(page, "service:(cart OR a) apples")
    expect(page.locator("mark")).to_have_text(["apples"])
    ask(page, "cart (")
    expect(page.get_by_role("note")).to_be_visible()
    expect(page.locator("mark")).to_have_text(["apples"])


def test_after_a_wrong_query_the_page_says_of_which_its_events_are(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)
    log(hub, "for n in range(300): logger.info('line %d', n)", "logger.error('bad')")
    expect(row_with(page, "bad")).to_have_count(1)
    ask(page, "line")
    expect(page.locator("footer")).to_contain_text("300 of 301 events")

    ask(page, "level>=warning (bad")

    note = page.get_by_role("note")
    expect(note).to_contain_text("These events are of the query before: line · Last 15 minutes")
    expect(page.locator("footer")).to_contain_text("Query before:")
    expect(page.get_by_role("status", name="Connection")).to_have_text("waiting")
    expect(page.get_by_role("switch", name="Live")).to_be_checked()
    expect(page.get_by_text("Loading older events")).to_have_count(0)
    assert (
        page.get_by_role("treegrid").locator(".canvas").evaluate("element => getComputedStyle(element).filter")
        == "grayscale(1)"
    )

    note.get_by_role("button", name="Back to it").click()
    expect(note).to_have_count(0)
    expect_live(page)
    ask(page, "level>=warning bad")
    expect(rows(page)).to_have_count(1)
    expect_live(page)


def test_a_hub_that_went_away_is_told_of_though_nobody_asks_and_is_forgotten_when_it_is_back(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)
    log(hub, "logger.info('before')")
    expect(row_with(page, "before")).to_have_count(1)

    hub.stop(with_signal=9)

    expect(page.get_by_role("alert")).to_contain_text("The hub does not answer. Is it running?")
    expect(page.get_by_role("alert")).to_contain_text("The page goes on by itself once it is back.")
    expect(row_with(page, "before")).to_have_count(1)
    hub.start()
    expect_live(page)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_times_below_the_chart_stand_where_they_are_at_any_width(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, "logger.info('one')")

    for width in (1440, 360):
        page = open_page(hub.url, width=width)
        expect(rows(page)).to_have_count(1)
        labels = page.locator("figcaption [aria-hidden] > span")
        expect(labels.nth(1)).to_be_visible()
        found = labels.evaluate_all(
            """labels => labels.map(label => {
              const box = label.getBoundingClientRect();
              const [hours, minutes] = label.textContent.split(':').map(Number);
              return {left: box.left, right: box.right, minutes: hours * 60 + minutes};
            })"""
        )
        middles = [(one["left"] + one["right"]) / 2 for one in found]
        chart = page.locator("figure .bars").bounding_box()
        assert chart

        for before, after, at, following in zip(found, found[1:], middles, middles[1:], strict=False):
            minutes = (after["minutes"] - before["minutes"]) % (24 * 60)
            assert before["right"] + 4 < after["left"]
            assert abs((following - at) - minutes / 15 * chart["width"]) < 1.5


def test_a_brushed_range_says_why_it_is_not_live_and_leads_back(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)
    page.get_by_role("combobox", name="Time range").select_option("Last hour")
    expect_live(page)
    log(hub, "logger.info('one')")
    expect(row_with(page, "one")).to_have_count(1)
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile("^1 event"))
    chart = page.locator("figure .bars").bounding_box()
    assert chart

    page.mouse.move(chart["x"] + chart["width"] * 0.2, chart["y"] + 20)
    page.mouse.down()
    page.mouse.move(chart["x"] + chart["width"] * 0.4, chart["y"] + 20)
    page.mouse.up()

    live = page.get_by_role("switch", name="Live")
    expect(live).to_be_disabled()
    expect(live).to_have_accessible_description("This range has an end: there is nothing to wait for")
    page.get_by_role("button", name="Back to live").click()
    expect_live(page)
    expect(live).to_be_checked()
    expect(page.get_by_role("combobox", name="Time range")).to_have_value("1h")
    expect(page.get_by_role("button", name="Back to live")).to_have_count(0)
    expect(row_with(page, "one")).to_have_count(1)


def test_help_names_the_keys_and_teaches_the_query_language(hub: HubProcess, open_page: Callable[..., Page]) -> None:
    page = open_page(hub.url, width=360, height=640)
    expect_live(page)

    page.keyboard.press("?")

    help_ = page.get_by_role("dialog", name="Help")
    expect(help_).to_contain_text("search")
    expect(help_).to_contain_text("oldest loaded")

    for example in (
        '"connection reset"',
        "level>=warning",
        "host:web-*",
        "duration_ms>250",
        "-field:*",
        "/job \\d+ failed/",
    ):
        expect(help_.get_by_text(example).first).to_be_attached()

    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()


def test_tab_says_what_is_asked(hub: HubProcess, open_page: Callable[..., Page]) -> None:
    page = open_page(hub.url)
    expect(page).to_have_title("loghub")
    ask(page, "level>=warning")
    expect(page).to_have_title("loghub · level>=warning")


def test_events_with_little_to_say_still_say_what_they_have(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)
    log(
        hub,
        "logger.info('')",
        "logger.info('', extra={'order_id': 7})",
        "logger.log(35, 'between two levels', extra={'a_rather_long_name.of_a_field': 1})",
        """
def down(n): return 1 / n if n == 0 else down(n - 1)
try: down(99)
except ZeroDivisionError: logger.exception('deep')
""",
    )
    expect(rows(page)).to_have_count(4)

    expect(row_with(page, "(no message)")).to_have_count(1)
    expect(row_with(page, "order_id=7").filter(has_text="(no message)")).to_have_count(0)
    expect(row_with(page, "between two levels").get_by_role("gridcell").nth(1)).to_have_text("35")

    row_with(page, "deep").click()
    expect(page.get_by_text("more of the same")).to_have_count(1)
