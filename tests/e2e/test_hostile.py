"""Log text is hostile, and so are other pages."""

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from e2e.viewer_page import expect_live, go, row_with, rows
from processes import HubProcess

ATTACK = """
async ([hub, socket]) => {
  const tried = async (what) => { try { return await what() } catch (error) { return "refused" } }
  const options = (mode) => ({method: "POST", mode, body: '{"message":"planted"}\\n'})
  const tail = () => new Promise((resolve) => {
    const found = new WebSocket(socket)
    found.onmessage = (event) => resolve("read " + event.data)
    found.onerror = () => resolve("refused")
    found.onclose = () => resolve("refused")
  })
  return {
    search: await tried(async () => "read " + await (await fetch(hub + "/api/v1/search")).text()),
    blind: await tried(async () => (await fetch(hub + "/api/v1/search", {mode: "no-cors"})).type),
    ingest: await tried(async () => (await fetch(hub + "/api/v1/ingest", options("cors"))).status),
    planted: await tried(async () => (await fetch(hub + "/api/v1/ingest", options("no-cors"))).type),
    tail: await tried(tail),
  }
}
"""


@pytest.fixture
def other_site(tmp_path: Path) -> Iterator[int]:
    """Serve an empty page on a port of its own."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<!doctype html><title>other</title>")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path / "site"))  # type: ignore[arg-type]

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 (the parent's name)
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    yield server.server_address[1]

    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.example"])
def test_page_of_another_origin_can_neither_tail_nor_search_nor_ingest(
    host: str, hub: HubProcess, other_site: int, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, "logger.info('secret of the shop')")
    page = open_page(f"http://{host}:{other_site}/")

    found = page.evaluate(ATTACK, [hub.url, f"ws://127.0.0.1:{hub.port}/api/v1/tail"])

    assert found["search"] == found["ingest"] == found["tail"] == "refused"
    assert "secret" not in str(found)
    assert [event["message"] for event in hub.events()] == ["secret of the shop"]


def test_request_with_a_foreign_host_is_refused(hub: HubProcess, open_page: Callable[..., Page]) -> None:
    page = open_page(f"http://rebound.example:{hub.port}/")

    found = page.evaluate(ATTACK, ["", f"ws://rebound.example:{hub.port}/api/v1/tail"])

    assert "host_refused" in page.content()
    assert "host_refused" in found["search"]
    assert found["ingest"] == 403
    assert found["tail"] == "refused"
    assert hub.events() == []


def test_message_with_markup_in_it_is_text(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)
    markup = "<img src=x onerror=\"document.title='owned'\"><b>bold</b><script>document.title='owned'</script>"

    log(hub, f"logger.info({markup!r}, extra={{'<i>key</i>': {markup!r}}})")

    row = row_with(page, markup)
    expect(row).to_have_count(1)
    row.click()
    expect(page.get_by_role("region", name="Event details")).to_contain_text("<i>key</i>")
    assert page.locator("[role=row] b, [role=row] img, [role=row] i, [role=row] script").count() == 0
    assert "owned" not in page.title()


def test_escapes_and_control_characters_do_not_reach_the_page(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)

    log(hub, r"logger.info('\x1b[31mred\x1b[0m and \x07 bell')")

    expect(rows(page)).to_have_count(1)
    expect(row_with(page, "red")).to_have_count(1)
    assert "\x1b" not in page.content()


def test_direction_marks_and_zero_width_characters_cannot_rearrange_a_row(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)

    log(hub, r"logger.info('user \u202egnp.exe\u2066 \u200bsigned in \u05d0\u05d1')", service="\\u202eshop")

    expect(rows(page)).to_have_count(1)
    text = rows(page).inner_text()

    for invisible in ("\u202e", "\u2066", "\u200b"):
        assert invisible not in text

    assert "\ufffdsigned in" in text
    assert page.locator("[role=gridcell].message").evaluate("cell => getComputedStyle(cell).unicodeBidi") == "isolate"


HOSTILE = "<img src=x onerror=document.title='owned'>\x1b[31mred\x1b[0m \u202egnp.exe \u200b\x07"

ATTACKER = (
    f"text = {HOSTILE!r}",
    "extra = {'request_id': 'r-1', text: text, 'nested': {text: [text]}}",
    "for n in range(3): logging.getLogger(text).warning(text + ' %d', n, extra=extra)",
    "class Broken(Exception): pass",
    "Broken.__qualname__ = Broken.__name__ = text",
    "try: raise Broken(text)\nexcept Broken: logger.exception(text, extra=extra)",
)


def test_hostile_text_is_text_on_every_screen(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    log(hub, *ATTACKER, service=HOSTILE)
    page = open_page(hub.url)
    expect(rows(page)).to_have_count(4)

    def look() -> None:
        expect(page.get_by_text("onerror=").first).to_be_attached()
        assert page.locator("#app :is(img, script, iframe, i)").count() == 0
        assert not page.title().startswith("owned")
        content = page.content()
        assert [sign for sign in ("\x1b", "\x07", "\u202e", "\u200b") if sign in content] == []

    look()
    rows(page).first.click()
    expect(page.get_by_role("region", name="Event details")).to_be_visible()
    look()
    page.get_by_role("button", name="In context").click()
    expect(page.get_by_role("treegrid", name="Events around").get_by_role("row")).not_to_have_count(1)
    look()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="View", exact=True).click()
    look()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Request r-1").click()
    expect(page.get_by_role("rowheader")).to_have_count(4)
    look()

    for screen in ("Patterns", "Errors", "Sources", "Overview"):
        go(page, screen)
        look()

    go(page, "Errors")
    page.locator("tbody").get_by_role("button").first.click()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("searchbox", name="Query").fill("service:")
    expect(page.get_by_role("option")).not_to_have_count(0)
    look()


def test_huge_line_and_thousands_of_fields_are_folded_and_the_page_stays_quick(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    page = open_page(hub.url)
    expect_live(page)

    log(
        hub,
        "logger.info('start ' + 'y' * 1_000_000)",
        "logger.info('wide', extra={f'field_{n:04d}': n for n in range(2000)})",
    )

    row = row_with(page, "wide")
    expect(row).to_have_count(1)
    expect(rows(page)).to_have_count(2)
    assert len(rows(page).last.inner_text()) < 5000
    row.click()
    details = page.get_by_role("region", name="Event details")
    expect(details.get_by_role("button", name="Show all")).to_be_visible()
    assert details.locator(".field").count() <= 110
    row.click()
    row_with(page, "start").click()
    assert len(details.inner_text()) < 10_000
    assert page.evaluate("document.querySelectorAll('*').length") < 3000


def test_page_runs_no_inline_script_and_asks_no_other_host(
    hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    asked: list[str] = []
    refused: list[str] = []

    def watch(page: Page) -> None:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)

    log(hub, "logger.info('one')")
    page = open_page(hub.url, watch=watch)
    row_with(page, "one").click()

    for screen in ("Patterns", "Errors", "Sources", "Overview", "Settings"):
        page.get_by_role("link", name=screen).click()
        expect(page.get_by_role("main", name=screen)).to_be_visible()

    assert [url for url in asked if not url.startswith((hub.url, f"ws://127.0.0.1:{hub.port}"))] == []
    assert refused == []
    policy = page.request.get(hub.url).headers["content-security-policy"]
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert page.locator("script:not([src])").count() == 0
