"""The habits of the page: its links, its keys, its times, what it remembers, what it says where nothing is."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from e2e.viewer_page import ask, expect_live, go, query_box, row_with, rows
from processes import HubProcess

SOME = (
    "for n in range(30): logger.info('order %d priced', n, extra={'sku': f'sku-{n}', 'request_id': f'r-{n}'})",
    "logger.warning('stock is low', extra={'sku': 'sku-7', 'trace_id': '0af7651916cd43dd8448eb211c80319c'})",
)

LEDGER = ["sent", "acked", "queued", "retried", "dead", "dropped", "missing"]


def test_link_carries_query_absolute_time_columns_and_selection(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SOME)
    page = open_page(hub.url)
    ask(page, "order")
    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_role("checkbox", name="sku").check()
    page.get_by_role("checkbox", name="logger").uncheck()
    page.keyboard.press("Escape")
    row_with(page, "order 20 priced").click()
    page.evaluate("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve() }")
    page.get_by_role("button", name="Copy link").click()
    link = page.wait_for_function("window.copied").json_value()
    log(hub, "logger.info('order 99 priced, later')")

    said = parse_qs(urlsplit(link).fragment.partition("?")[2])
    assert said["q"] == ["order"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", said[end][0]) for end in ("from", "to"))

    other = open_page(link)
    expect(query_box(other)).to_have_value("order")
    expect(other.get_by_role("region", name="Event details")).to_contain_text("r-20")
    expect(rows(other).first).to_contain_text("order 20 priced")
    expect(rows(other)).to_have_count(21)
    heads = [head.lower() for head in other.get_by_role("columnheader").all_inner_texts()]
    assert "sku" in heads
    assert "logger" not in heads
    other.reload()
    expect(other.get_by_role("region", name="Event details")).to_contain_text("r-20")


def test_all_is_done_with_keys(hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]) -> None:
    log(hub, *SOME)
    page = open_page(hub.url)
    expect(rows(page).first).to_contain_text("stock is low")
    details = page.get_by_role("region", name="Event details")

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(details).to_contain_text("sku-7")
    page.keyboard.press("Enter")
    expect(details).to_have_count(0)

    page.keyboard.press("/")
    expect(query_box(page)).to_be_focused()
    page.keyboard.type("level>=warning")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(query_box(page)).not_to_be_focused()

    page.keyboard.press("t")
    expect(page.get_by_role("combobox", name="Time range")).to_be_focused()
    page.keyboard.press("Escape")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()


def test_times_are_local_or_utc_everywhere_and_stay_so(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SOME)
    [event] = hub.events("stock")
    utc = event["timestamp"][11:19]
    local = f"{(int(utc[:2]) + 5) % 24:02d}:{(int(utc[3:5]) + 30) % 60:02d}" if int(utc[3:5]) < 30 else None
    page = open_page(hub.url, zone="Asia/Kolkata")
    row = row_with(page, "stock is low")
    expect(row).not_to_contain_text(utc)

    if local:
        expect(row).to_contain_text(local)

    row.click()
    expect(page.get_by_role("region", name="Event details")).to_contain_text("+05:30")

    page.get_by_role("button", name="Local time").click()
    expect(row).to_contain_text(utc)
    expect(page.get_by_role("region", name="Event details")).to_contain_text("UTC")
    page.reload()
    expect(row_with(page, "stock is low")).to_contain_text(utc)
    go(page, "Patterns")
    expect(page.get_by_role("row").filter(has_text="stock is low")).to_contain_text(utc)


def test_two_moments_are_asked_for_and_looked_at(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SOME)
    page = open_page(hub.url)
    expect(rows(page)).not_to_have_count(0)
    page.get_by_role("combobox", name="Time range").select_option(label="Between …")
    dialog = page.get_by_role("dialog", name="Time between")
    dialog.get_by_label("From").fill("2020-01-02T03:04:05")
    dialog.get_by_label("To").fill("2019-01-01T00:00:00")
    dialog.get_by_role("button", name="Show").click()
    expect(dialog.get_by_role("alert")).to_contain_text("has to be after the first")
    dialog.get_by_label("To").fill("2020-01-02T04:00:00")
    dialog.get_by_role("button", name="Show").click()

    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    assert "from=2020-01-02T03%3A04%3A05" in page.url
    page.get_by_role("button", name="All time").click()
    expect(rows(page)).not_to_have_count(0)


def test_saved_search_is_asked_from_any_screen_and_forgotten(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SOME)
    page = open_page(hub.url)
    ask(page, "level>=warning")
    page.get_by_role("button", name="Saved", exact=True).click()
    page.get_by_label("Name for this search").fill("bad news")
    page.keyboard.press("Enter")
    ask(page, "")
    expect(rows(page)).to_have_count(31)
    page.reload()
    go(page, "Overview")

    page.get_by_role("button", name="Saved", exact=True).click()
    page.get_by_role("button", name="bad news level>=warning").click()

    expect(rows(page)).to_have_count(1)
    expect(query_box(page)).to_have_value("level>=warning")
    page.get_by_role("button", name="Saved", exact=True).click()
    page.get_by_role("button", name="Forget bad news").click()
    expect(page.get_by_text("Nothing saved yet")).to_be_visible()


@pytest.mark.parametrize(
    ("screen", "teaches"),
    [
        ("Logs", "Run this in any Python that has loghub"),
        ("Patterns", "look at a longer time"),
        ("Errors", "logger.exception()"),
        ("Request", "Name a request_id or a trace_id"),
        ("Sources", "Settings has the snippet"),
        ("Settings", "Waiting for the first record"),
    ],
)
def test_screen_without_anything_to_show_teaches(
    screen: str, teaches: str, hub: HubProcess, open_page: Callable[..., Page]
) -> None:
    page = open_page(hub.url)
    expect_live(page)
    go(page, screen)
    expect(page.get_by_text(teaches)).to_be_visible()


def test_errors_show_trend_place_and_the_services_that_they_hit(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    fail = (
        "def fail(): return {}['sku-1']",
        "def log(): logger.exception('pricing failed')",
        "try: fail()\nexcept KeyError: log()",
    )
    log(hub, *fail, service="shop")
    log(hub, *fail, service="payments")
    page = open_page(f"{hub.url}/#/errors")

    row = page.get_by_role("row").filter(has_text="KeyError")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("'sku-1'")
    expect(row).to_contain_text("in fail")
    expect(row.get_by_role("cell", name=re.compile("^(shop, payments|payments, shop)$"))).to_be_visible()
    expect(row.get_by_role("cell", name="2", exact=True)).to_be_visible()
    expect(row.get_by_role("img", name=re.compile("^Trend: "))).to_be_visible()


def test_trace_stands_on_the_time_line_as_a_request_does(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SOME)
    page = open_page(f"{hub.url}/#/request?id=0af7651916cd43dd8448eb211c80319c")
    expect(page.get_by_role("rowheader")).to_have_text(["stock is low"])


def test_sources_say_how_fast_each_sends_and_what_is_missing(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SOME)
    page = open_page(f"{hub.url}/#/sources")
    row = page.get_by_role("row").filter(has_text="web-1")
    heads = [head.lower() for head in page.get_by_role("columnheader").all_inner_texts()]
    assert heads == ["service", "host", "process", "last seen", "rate", *LEDGER]
    expect(row.get_by_role("cell").nth(heads.index("rate") - 1)).to_have_text("0.00/s")
    expect(row.get_by_role("cell").nth(heads.index("missing") - 1)).to_have_text("0")
