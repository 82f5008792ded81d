"""The screens beside the logs: what they show, and that each has its address."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from e2e.viewer_page import ask, expect_live, go, row_with, rows
from processes import HubProcess, run_python

SHOP = (
    "for n in range(7): logger.info('order %d priced', n, extra={'request_id': f'r-{n}'})",
    "logger.warning('stock is low')",
    "def fail(): return {}['sku-1']",
    "try: fail()\nexcept KeyError: logger.exception('pricing failed', extra={'request_id': 'r-3'})",
)


def test_back_and_forward_and_a_reload_lead_to_the_same_screens_and_queries(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SHOP)
    page = open_page(hub.url)
    expect(rows(page)).to_have_count(9)
    ask(page, "level>=warning")
    expect(rows(page)).to_have_count(2)
    go(page, "Patterns")
    go(page, "Sources")

    page.go_back()
    expect(page.get_by_role("main", name="Patterns")).to_be_visible()
    page.go_back()
    expect(rows(page)).to_have_count(2)
    page.go_back()
    expect(rows(page)).to_have_count(9)
    page.go_forward()
    page.go_forward()
    expect(page.get_by_role("main", name="Patterns")).to_be_visible()
    page.reload()
    expect(page.get_by_role("main", name="Patterns")).to_be_visible()
    expect(page.get_by_role("searchbox", name="Query")).to_have_value("level>=warning")


def test_patterns_are_counted_and_lead_to_their_events(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SHOP)
    page = open_page(f"{hub.url}/#/patterns")

    row = page.get_by_role("row").filter(has_text="order %d priced")
    expect(row.get_by_role("cell", name="7", exact=True)).to_be_visible()
    row.get_by_role("button").click()

    expect(rows(page)).to_have_count(7)
    page.go_back()
    page.get_by_role("button", name="stock is low").click()
    expect(rows(page)).to_have_count(1)


def test_errors_are_one_by_fingerprint_and_lead_to_their_events(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SHOP)
    page = open_page(f"{hub.url}/#/errors")

    row = page.get_by_role("row").filter(has_text="KeyError")
    expect(row).to_contain_text("in fail")
    expect(row).to_contain_text("shop")
    row.get_by_role("button").click()

    expect(rows(page)).to_have_count(1)
    expect(row_with(page, "pricing failed")).to_have_count(1)


def test_request_stands_on_a_time_line_over_all_services(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SHOP)
    log(hub, "logger.info('charged', extra={'request_id': 'r-3'})", service="payments")
    page = open_page(hub.url)
    go(page, "Request")

    page.get_by_label("Request or trace").fill("r-3")
    page.get_by_role("button", name="Show").click()

    expect(page.get_by_role("status").filter(has_text="3 events in 2 services")).to_be_visible()
    found = page.get_by_role("rowheader").all_inner_texts()
    assert found == ["order 3 priced", "pricing failed", "charged"]
    assert "#/request?id=r-3" in page.url


def test_sources_say_who_sends_and_what_is_stored_of_it(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SHOP)
    page = open_page(f"{hub.url}/#/sources")

    row = page.get_by_role("row").filter(has_text="web-1")
    expect(row.get_by_role("cell", name="9", exact=True).first).to_be_visible()
    row.get_by_role("button", name="shop").click()
    expect(rows(page)).to_have_count(9)


def test_overview_counts_by_level_and_service_and_tells_how_the_hub_is(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *SHOP)
    page = open_page(f"{hub.url}/#/overview")

    expect(page.get_by_role("region", name="level").get_by_role("button", name="INFO")).to_contain_text("7")
    hub_itself = page.get_by_role("region", name="This hub")
    expect(hub_itself).to_contain_text("Ingest rate")
    expect(hub_itself.get_by_role("definition").first).to_have_text("0.15/s")
    expect(page.get_by_role("region", name="Kept")).to_contain_text("14 d or 5 GB")
    expect(page.get_by_role("region", name="Lost and dropped")).to_contain_text("Dropped by senders")
    page.get_by_role("region", name="level").get_by_role("button", name="ERROR").click()
    expect(rows(page)).to_have_count(1)


def test_settings_tell_when_the_first_record_of_a_new_application_is_here(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(f"{hub.url}/#/settings")
    page.get_by_label("Service", exact=True).fill("brand new")
    expect(page.get_by_role("status").filter(has_text="Waiting for the first record of brand new")).to_be_visible()

    log(hub, "logger.info('here I am')", service="brand new")

    expect(page.get_by_role("status").filter(has_text="here I am")).to_be_visible()
    page.get_by_role("radio", name="dark").check(force=True)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_snippet_of_an_empty_hub_runs_and_the_page_turns_into_the_list(
    hub: HubProcess, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(hub.url)
    expect_live(page)
    snippet = page.get_by_role("region", name="snippet").inner_text()
    assert hub.url in snippet

    run_python(snippet, cwd=tmp_path)

    expect(row_with(page, "the first event")).to_have_count(1)
    expect(page.get_by_role("region", name="snippet")).to_have_count(0)
