"""The reader's keys and hands in the list: what each does, and that what he reads stays where it is."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from e2e.viewer_page import ask, expect_live, query_box, row_with, rows, send_frames
from processes import HubProcess

Opens = Callable[..., Page]
Logs = Callable[..., None]

FORTY = "for n in range(40): logger.info('line %02d of forty', n, extra={'sku': f's-{n % 2}'})"


NO_ROW_OVER_ANOTHER = """
() => [...document.querySelectorAll('[role=row][data-id]')]
  .map((row) => row.getBoundingClientRect())
  .sort((a, b) => a.top - b.top)
  .every((box, at, all) => at === 0 || box.top >= all[at - 1].bottom - 0.5)
"""


def selected(page: Page) -> str:
    return page.get_by_role("row", selected=True).inner_text()


def open_forty(hub: HubProcess, open_page: Opens, log: Logs) -> Page:
    log(hub, FORTY)
    page = open_page(hub.url)
    expect(row_with(page, "line 39")).to_have_count(1)
    return page


def choose(page: Page, option: str) -> None:
    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_role("radio", name=option).check(force=True)
    page.keyboard.press("Escape")


def height_of(page: Page, text: str) -> float:
    box = row_with(page, text).bounding_box()
    assert box
    return box["height"]


def test_j_and_k_walk_enter_opens_and_escape_closes(hub: HubProcess, open_page: Opens, log: Logs) -> None:
    page = open_forty(hub, open_page, log)

    for key, line in (("j", "39"), ("j", "38"), ("j", "37"), ("k", "38"), ("ArrowDown", "37"), ("ArrowUp", "38")):
        page.keyboard.press(key)
        assert f"line {line}" in selected(page)

    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Event details")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Event details")).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Event details")).to_have_count(0)


def test_walking_down_brings_the_row_into_sight(hub: HubProcess, open_page: Opens, log: Logs) -> None:
    page = open_forty(hub, open_page, log)

    for _ in range(40):
        page.keyboard.press("j")

    expect(page.get_by_role("row", selected=True)).to_be_in_viewport(ratio=1)
    assert "line 00" in selected(page)


def test_x_filters_out_and_f_filters_for_the_field_that_has_the_focus(
    hub: HubProcess, open_page: Opens, log: Logs
) -> None:
    page = open_forty(hub, open_page, log)
    row_with(page, "line 39").click()
    page.get_by_role("button", name="Filter for sku").focus()

    page.keyboard.press("x")

    expect(query_box(page)).to_have_value("-sku:s-1")
    expect(rows(page).first).to_contain_text("line 38")
    page.go_back()
    page.get_by_role("button", name="Filter for sku").focus()
    page.keyboard.press("f")
    expect(query_box(page)).to_have_value("sku:s-1")


def test_slash_t_and_question_mark_lead_to_query_time_and_help(hub: HubProcess, open_page: Opens, log: Logs) -> None:
    page = open_forty(hub, open_page, log)

    page.keyboard.press("t")
    expect(page.get_by_role("combobox", name="Time range")).to_be_focused()
    page.get_by_role("treegrid", name="Events").focus()
    page.keyboard.press("/")
    expect(query_box(page)).to_be_focused()
    page.keyboard.type("j?x")
    expect(query_box(page)).to_have_value("j?x")
    page.get_by_role("treegrid", name="Events").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()


def test_long_messages_wrap_and_rows_grow_as_asked(hub: HubProcess, open_page: Opens, log: Logs) -> None:
    log(hub, "logger.info('short')", "logger.info('long ' * 100)", "logger.info('another')")
    page = open_page(hub.url)
    expect(rows(page)).to_have_count(3)
    assert height_of(page, "long") == 22

    choose(page, "airy")
    assert height_of(page, "short") == 30
    choose(page, "wrap")
    expect(row_with(page, "long")).to_have_js_property(
        "scrollWidth", row_with(page, "long").evaluate("e => e.clientWidth")
    )
    assert height_of(page, "long") > 60
    places = [box["y"] for row in rows(page).all() if (box := row.bounding_box())]
    tops = sorted(places)
    assert tops[1] - tops[0] == 30
    page.wait_for_function(NO_ROW_OVER_ANOTHER)
    choose(page, "cut")
    assert height_of(page, "long") == 30
    page.reload()
    expect(rows(page)).to_have_count(3)
    assert height_of(page, "short") == 30


def test_columns_are_moved_and_resized_with_the_mouse(hub: HubProcess, open_page: Opens, log: Logs) -> None:
    page = open_forty(hub, open_page, log)
    grid = page.get_by_role("treegrid", name="Events")
    head = grid.get_by_role("columnheader")
    logger, level = (grid.get_by_role("button", name=name, exact=True).bounding_box() for name in ("logger", "level"))
    assert logger
    assert level

    page.mouse.move(logger["x"] + 10, logger["y"] + 8)
    page.mouse.down()
    page.mouse.move(level["x"] + 8, level["y"] + 8, steps=8)
    page.mouse.up()

    assert [one.lower() for one in head.all_inner_texts()] == ["time", "logger", "level", "service", "message"]
    before = grid.get_by_role("columnheader", name="logger").bounding_box()
    assert before
    edge = before["x"] + before["width"] + 3
    page.mouse.move(edge, before["y"] + 10)
    page.mouse.down()
    page.mouse.move(edge + 60, before["y"] + 10, steps=6)
    page.mouse.up()
    after = grid.get_by_role("columnheader", name="logger").bounding_box()
    assert after
    assert abs(after["width"] - before["width"] - 60) <= 1


def test_every_match_is_marked_in_any_case(hub: HubProcess, open_page: Opens, log: Logs) -> None:
    log(hub, "logger.info('Apple pie, apple juice')")
    page = open_page(hub.url)
    expect(rows(page)).to_have_count(1)

    ask(page, "apple")

    expect(page.locator("mark")).to_have_text(["Apple", "apple"])


def test_what_is_read_stays_in_its_place_while_events_come(scripted: Callable[..., str], open_page: Opens) -> None:
    page = open_page(scripted(events=2000, rate=100))
    expect_live(page)
    expect(rows(page)).not_to_have_count(0)
    page.wait_for_timeout(500)
    page.get_by_role("treegrid", name="Events").evaluate("grid => grid.scrollBy(0, 600)")
    expect(page.get_by_role("button", name=re.compile(r"\d+ new"))).to_be_visible()
    read = rows(page).nth(20)
    name = str(read.get_attribute("data-id"))
    mine = page.locator(f"[data-id='{name}']")
    before = mine.bounding_box()

    for wanted in (100, 200):
        page.wait_for_function(
            "n => Number(/([\\d\\s]+) new/.exec(document.body.innerText)?.[1].replace(/\\s/g, '')) > n", arg=wanted
        )
        assert mine.bounding_box() == before


def test_open_row_and_selected_text_hold_the_list(scripted: Callable[..., str], open_page: Opens) -> None:
    url = scripted(events=100)
    page = open_page(url)
    expect_live(page)
    top = row_with(page, "event 0000099")
    event = {"_id": "02-1", "timestamp": "2999-01-01T00:00:00.000000Z", "level": "INFO", "message": "news"}
    place = top.bounding_box()
    assert place

    # Text is selected with a drag over it, which opens nothing.
    message = top.get_by_role("gridcell").last.bounding_box()
    assert message
    page.mouse.move(message["x"] + 2, message["y"] + 10)
    page.mouse.down()
    page.mouse.move(message["x"] + 90, message["y"] + 10, steps=4)
    page.mouse.up()
    assert page.evaluate("getSelection().toString()").startswith("event")
    expect(page.get_by_role("region", name="Event details")).to_have_count(0)
    send_frames(url, {"type": "events", "events": [event], "cursor": "1"})
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    assert top.bounding_box() == place
    page.get_by_role("button", name="1 new").click()
    expect(row_with(page, "news")).to_have_count(1)
