"""From a logging call in another process to the page, without a refresh."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from e2e.viewer_page import ask, expect_live, ids_of, query_box, row_with, rows
from processes import HubProcess


def test_call_in_another_process_is_on_the_page_without_a_refresh(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)

    log(hub, "logger.warning('payment timed out after %.1f s', 3.0, extra={'order_id': 81231})")

    expect(row_with(page, "payment timed out after 3.0 s")).to_have_count(1)
    expect(row_with(page, "81231")).to_have_count(1)


def test_two_browsers_at_once_see_the_same(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    pages = [open_page(hub.url), open_page(hub.url, width=1000)]

    for page in pages:
        expect_live(page)

    log(hub, "for n in range(20): logger.info('line %d of both', n)")

    for page in pages:
        expect(row_with(page, "of both")).to_have_count(20)

    assert ids_of(pages[0]) == ids_of(pages[1])


def test_filter_narrows_a_live_tail(hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]) -> None:
    page = open_page(hub.url)
    log(hub, "logger.info('before quiet')", "logger.error('before loud')")
    expect(rows(page)).to_have_count(2)

    ask(page, "level>=warning service:shop")
    expect(rows(page)).to_have_count(1)
    expect_live(page)
    log(hub, "logger.info('after quiet')", "logger.error('after loud')")
    log(hub, "logger.error('elsewhere loud')", service="ledger")
    log(hub, "logger.critical('last')")

    expect(row_with(page, "last")).to_have_count(1)
    expect(row_with(page, "after loud")).to_have_count(1)
    expect(rows(page)).to_have_count(3)


def test_page_recovers_when_the_hub_restarts_with_nothing_missing_and_nothing_twice(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)
    log(hub, "for n in range(5): logger.info('first %d', n)")
    expect(rows(page)).to_have_count(5)

    hub.stop(with_signal=9)
    expect(page.get_by_role("status").filter(has_text="lost")).to_be_visible()
    hub.start()
    log(hub, "for n in range(5): logger.info('second %d', n)")

    expect(rows(page)).to_have_count(10)
    expect_live(page)
    log(hub, "logger.info('third')")
    expect(rows(page)).to_have_count(11)
    assert ids_of(page) == [event["_id"] for event in hub.events()]


def test_pause_holds_the_page_still_and_going_on_misses_nothing(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)
    log(hub, "logger.info('one')")
    expect(rows(page)).to_have_count(1)

    page.keyboard.press("Space")
    expect(page.get_by_role("status").filter(has_text="paused")).to_be_visible()
    log(hub, "logger.info('two')")
    hub.wait_for_events("two", 1)
    expect(rows(page)).to_have_count(1)

    page.keyboard.press("Space")
    expect(rows(page)).to_have_count(2)


def test_live_can_be_switched_off_and_on(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)
    live = page.get_by_role("switch", name="Live")

    live.click()
    expect(live).not_to_be_checked()
    log(hub, "logger.info('meanwhile')")
    hub.wait_for_events("meanwhile", 1)
    expect(rows(page)).to_have_count(0)

    live.click()
    expect_live(page)
    expect(row_with(page, "meanwhile")).to_have_count(1)


def test_wrong_query_is_shown_where_it_is_wrong(hub: HubProcess, open_page: Callable[..., Page]) -> None:
    page = open_page(hub.url)
    expect_live(page)

    ask(page, "level>=warning (service:shop")

    expect(page.get_by_role("alert")).to_contain_text("expected")
    ask(page, "level>=warning")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(query_box(page)).to_have_value("level>=warning")
