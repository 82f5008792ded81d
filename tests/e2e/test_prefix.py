"""A hub below a path of its own, behind a proxy that takes the prefix off, and behind one that leaves it on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from e2e.proxies import prefixed
from e2e.viewer_page import ask, expect_live, go, ids_of, row_with, rows
from processes import HubProcess, run_python

SCREENS = ("Patterns", "Errors", "Request", "Sources", "Overview", "Settings")
MORE = (
    "import logging",
    "logger = logging.getLogger('shop')",
    "for n in range(250): logger.warning('order %d priced', n, extra={'request_id': f'r-{n}'})",
)


@pytest.fixture(params=[True, False], ids=["taken off", "left on"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address below the prefix; nothing is answered elsewhere."""
    options = () if request.param else ("--prefix", "/our/logs")

    with (
        HubProcess(tmp_path / "hub", *options) as hub,
        prefixed(hub.port, "/our/logs", strips=request.param) as url,
    ):
        yield url


def test_everything_works_below_a_prefix(url: str, open_page: Callable[..., Page], tmp_path: Path) -> None:
    failed: list[str] = []

    def watch(page: Page) -> None:
        page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)

    page = open_page(url, watch=watch)
    expect_live(page)
    snippet = page.get_by_role("region", name="snippet").inner_text()
    assert url.rstrip("/") in snippet
    run_python("\n".join((snippet, *MORE)), cwd=tmp_path)
    expect(row_with(page, "order 249 priced")).to_have_count(1)

    ask(page, "level>=warning order")
    expect(page.locator("footer")).to_contain_text("250 of 251 events")

    with page.expect_download() as download:
        page.get_by_role("button", name="Export", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Save").click()

    assert len(Path(download.value.path()).read_bytes().splitlines()) == 250

    for screen in SCREENS:
        go(page, screen)
        page.reload()
        expect(page.get_by_role("main", name=screen)).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        assert page.url.startswith(f"{url}#/{screen.lower()}")

    expect(page.get_by_role("status").filter(has_text="live")).to_be_visible()
    assert failed == []


def test_permalink_below_a_prefix_leads_another_browser_to_the_same_event(
    url: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(url)
    expect_live(page)
    run_python("\n".join((page.get_by_role("region", name="snippet").inner_text(), *MORE)), cwd=tmp_path)
    row_with(page, "order 249 priced").click()
    page.evaluate("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve() }")
    page.get_by_role("button", name="Copy link").click()
    link = page.wait_for_function("window.copied").json_value()

    other = open_page(link)

    expect(other.get_by_role("region", name="Event details")).to_contain_text("r-249")
    assert ids_of(other)[0] == ids_of(page)[0]
    assert link.startswith(url)
    expect(rows(other).first).to_contain_text("order 249 priced")


def test_prefix_without_its_slash_leads_to_the_page(tmp_path: Path, open_page: Callable[..., Page]) -> None:
    with HubProcess(tmp_path / "hub", "--prefix", "/our/logs") as hub:
        page = open_page(f"{hub.url}/our/logs")
        expect(page).to_have_url(f"{hub.url}/our/logs/")
        expect_live(page)
