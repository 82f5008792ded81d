"""The list: any length, its columns, its order, and what an open row offers."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from e2e.viewer_page import ask, expect_live, ids_of, query_box, row_with, rows
from processes import HubProcess

SOME = (
    "logger.info('order %d priced', 7, extra={'user': {'id': 42, 'name': 'Ada'}, 'sku': 'a-1'})",
    "logger.warning('stock is low', extra={'sku': 'b-2'})",
    "logger.info('order %d priced', 8, extra={'user': {'id': 43}, 'sku': 'a-1'})",
)


def fill(hub: HubProcess, log: Callable[..., None], number: int) -> None:
    log(hub, f"for n in range({number}): logger.info('line %05d', n)")
    hub.wait_for_events(f'"line {number - 1:05d}"', 1)


def heads(page: Page) -> list[str]:
    return [head.lower() for head in page.get_by_role("treegrid").get_by_role("columnheader").all_inner_texts()]


def test_both_ends_of_a_long_list_are_reached_and_pages_are_loaded_from_either(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    fill(hub, log, 3000)
    page = open_page(f"{hub.url}/#/logs?live=0")
    expect(row_with(page, "line 02999")).to_have_count(1)

    page.keyboard.press("Shift+G")
    expect(row_with(page, "line 00000")).to_be_in_viewport()
    grid = page.get_by_role("treegrid", name="Events")

    for _ in range(600):
        grid.evaluate("grid => grid.scrollBy(0, -4000)")

        if row_with(page, "line 02999").count():
            break

        page.wait_for_timeout(50)

    expect(row_with(page, "line 02999")).to_have_count(1)
    page.keyboard.press("g")
    expect(row_with(page, "line 02999")).to_be_in_viewport()


def test_order_can_be_turned_and_new_events_then_come_at_the_bottom(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    fill(hub, log, 100)
    expect(row_with(page, "line 00099")).to_have_count(1)

    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_role("radio", name="oldest").check(force=True)
    page.keyboard.press("Escape")

    expect(row_with(page, "line 00099")).to_be_in_viewport()
    assert ids_of(page) == sorted(ids_of(page))
    log(hub, "logger.info('the last line')")
    expect(row_with(page, "the last line")).to_be_in_viewport()


def test_columns_are_picked_moved_resized_and_kept_in_the_address(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SOME)
    page = open_page(hub.url)
    expect(rows(page)).to_have_count(3)

    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_role("checkbox", name="sku").check()
    page.get_by_role("checkbox", name="logger").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="sku")).to_be_visible()
    assert heads(page) == ["time", "level", "service", "sku", "message"]

    page.get_by_role("button", name="sku", exact=True).press("ArrowLeft")
    assert heads(page) == ["time", "level", "sku", "service", "message"]
    before = page.get_by_role("columnheader", name="sku").bounding_box()
    page.get_by_role("button", name="sku", exact=True).press("Shift+ArrowRight")
    after = page.get_by_role("columnheader", name="sku").bounding_box()
    assert before
    assert after
    assert after["width"] == before["width"] + 12

    page.reload()
    expect(page.get_by_role("gridcell", name="b-2", exact=True)).to_be_visible()
    assert heads(page) == ["time", "level", "sku", "service", "message"]


def test_open_row_filters_shows_a_column_and_links_to_itself(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SOME)
    page = open_page(hub.url)
    row_with(page, "order 7 priced").click()
    details = page.get_by_role("region", name="Event details")
    expect(details).to_contain_text("Ada")

    details.get_by_role("button", name="Only column user.id").focus()
    page.keyboard.press("f")
    expect(query_box(page)).to_have_value("user.id:42")
    expect(rows(page)).to_have_count(1)

    page.get_by_role("button", name="Only column sku").click()
    assert heads(page) == ["time", "sku"]

    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text }")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copy link")).to_have_text("Copied")
    other = open_page(page.evaluate("window.copied"))
    expect(other.get_by_role("region", name="Event details")).to_contain_text("Ada")
    assert re.search(r"from=\d{4}-", other.url)


def test_fields_beside_the_list_count_all_that_matches_and_filter(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    fill(hub, log, 500)
    log(hub, "logger.error('bad')", service="payments")
    page = open_page(hub.url)
    fields = page.get_by_role("complementary", name="Fields")
    expect(fields.get_by_role("button", name="INFO 500")).to_be_visible()

    fields.get_by_role("button", name="payments 1").click()
    expect(rows(page)).to_have_count(1)
    page.go_back()
    fields.get_by_role("button", name="INFO 500").click(modifiers=["Alt"])
    expect(query_box(page)).to_have_value("-level:INFO")
    expect(rows(page)).to_have_count(1)


def test_query_box_completes_fields_and_values_and_remembers(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SOME)
    page = open_page(hub.url)
    expect(rows(page)).to_have_count(3)
    box = query_box(page)

    box.press_sequentially("sk")
    expect(page.get_by_role("option").first).to_have_accessible_name("sku 3")
    box.press("Tab")
    expect(page.get_by_role("option").first).to_have_accessible_name("a-1 2")
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value("sku:a-1 ")
    box.press("Enter")
    expect(rows(page)).to_have_count(2)

    page.get_by_role("button", name="Saved", exact=True).click()
    page.get_by_label("Name for this search").fill("first sku")
    page.get_by_role("button", name="Save", exact=True).click()
    page.keyboard.press("Escape")
    ask(page, "")
    page.reload()
    expect(rows(page)).to_have_count(3)
    box.click()
    expect(page.get_by_role("option").filter(has_text="first sku")).to_be_visible()
    page.get_by_role("option").filter(has_text="sku:a-1").last.click()
    expect(rows(page)).to_have_count(2)


def test_export_saves_the_full_result_and_not_what_is_loaded(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None], tmp_path: Path
) -> None:
    fill(hub, log, 1500)
    page = open_page(hub.url)
    expect_live(page)
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("radio", name="gz").check(force=True)

    with page.expect_download() as download:
        page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("status", name="Export")).to_contain_text("whole")
    assert download.value.suggested_filename.endswith(".ndjson.gz")
    download.value.save_as(tmp_path / "all.gz")
    lines = gzip.decompress((tmp_path / "all.gz").read_bytes()).splitlines()
    assert sorted(json.loads(line)["message"] for line in lines) == [f"line {n:05d}" for n in range(1500)]
