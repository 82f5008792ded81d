"""The viewer as a person finds it: by roles and names."""

import json
import urllib.request

from playwright.sync_api import Locator, Page, expect


def query_box(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Query")


def rows(page: Page) -> Locator:
    """Give the rows of events; the heading row has no id."""
    return page.locator("[role=row][data-id]")


def row_with(page: Page, text: str) -> Locator:
    return rows(page).filter(has_text=text)


def expect_live(page: Page) -> None:
    expect(page.get_by_role("status").filter(has_text="live")).to_be_visible()


def go(page: Page, screen: str) -> None:
    """Open a screen, and wait until it has its answer."""
    page.get_by_role("navigation", name="Screens").get_by_role("link", name=screen).click()
    expect(page.get_by_role("main", name=screen)).to_be_visible()
    expect(page.locator("main [aria-busy=true]")).to_have_count(0)


def ask(page: Page, query: str) -> None:
    query_box(page).fill(query)
    query_box(page).press("Enter")


def ids_of(page: Page) -> list[str]:
    return [str(found) for found in rows(page).evaluate_all("rows => rows.map(row => row.dataset.id)")]


def send_frames(url: str, *frames: object) -> None:
    """Let a scripted API (scripted_api.py) send frames to every tail."""
    body = json.dumps(frames).encode()
    request = urllib.request.Request(f"{url}/script", body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=60).close()
