"""The same viewer, served by a hub, by a process about itself, and in an application that has its own sign-in."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Page, Response, WebSocket, expect

from e2e.viewer_page import ask, expect_live, go, row_with, rows
from e2e.ways import WAYS, Served, serving
from processes import HubProcess, configuration, run_python

SCREENS = ("Patterns", "Errors", "Request", "Sources", "Overview", "Settings")

SHOP = (
    "for n in range(250): logger.info('order %d priced', n, extra={'request_id': f'r-{n}'})",
    "def fail(): return {}['sku-1']",
    "try: fail()\nexcept KeyError: logger.exception('pricing failed', extra={'request_id': 'r-3'})",
)


_BAD = ("error", "warning")
_NOT_OURS = ("ERR_ABORTED", "/favicon.ico")
"""What is asked while the page goes elsewhere is called off; the application's own form has no icon."""


OPENS = """
url => new Promise((done) => {
  const socket = new WebSocket(url)
  socket.onopen = () => done(true)
  socket.onerror = () => done(false)
})
"""


@pytest.fixture(params=WAYS)
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    with serving(request.param, tmp_path) as served:
        yield served


def lacks_policy(answer: Response) -> list[str]:
    """Name an answer of the viewer that carries no strict policy."""
    policy = answer.headers.get("content-security-policy", "")
    strict = "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    return [] if strict or "/login" in answer.url or answer.status == 303 else [f"{answer.url}: {policy!r}"]


@pytest.fixture
def watched() -> Iterator[Callable[[Page], None]]:
    """Give what looks at a page's console and requests; nothing may fail, be refused, or go to another host."""
    faults: list[str] = []

    def watch(page: Page) -> None:
        page.on("console", lambda said: faults.append(f"{said.text} {said.location}") if said.type in _BAD else None)
        page.on("request", lambda asked: None if "//127.0.0.1:" in asked.url else faults.append(asked.url))
        page.on("response", lambda answer: faults.extend(lacks_policy(answer)))
        page.on("requestfailed", lambda asked: faults.append(f"{asked.url}: {asked.failure}"))

    yield watch

    assert [fault for fault in faults if not any(known in fault for known in _NOT_OURS)] == []


def test_every_screen_works_however_the_viewer_is_served(
    served: Served, open_page: Callable[..., Page], watched: Callable[[Page], None]
) -> None:
    page = open_page(served.url, watch=watched)
    served.enter(page)
    served.log(*SHOP)
    expect(row_with(page, "pricing failed")).to_have_count(1)
    served.log("logger.warning('while somebody looks')")
    expect(row_with(page, "while somebody looks")).to_have_count(1)
    ask(page, "level>=error")
    expect(rows(page)).to_have_count(1)

    rows(page).click()
    page.get_by_role("button", name="In context").click()
    expect(page.get_by_role("treegrid", name="Events around").get_by_role("row")).not_to_have_count(1)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Request r-3").click()
    expect(page.get_by_role("status").filter(has_text="2 events in 1 service")).to_be_visible()

    ask_all(page)
    go(page, "Patterns")
    expect(page.get_by_role("row").filter(has_text="order %d priced")).to_contain_text("250")
    go(page, "Errors")
    expect(page.get_by_role("row").filter(has_text="KeyError")).to_contain_text("in fail")
    go(page, "Overview")
    expect(page.get_by_role("region", name="level").get_by_role("button", name="INFO")).to_contain_text("250")

    for screen in SCREENS:
        go(page, screen)
        page.reload()
        expect(page.get_by_role("main", name=screen)).to_be_visible()
        expect(page.get_by_role("main", name=screen)).not_to_be_empty()
        expect(page.get_by_role("alert")).to_have_count(0)


def ask_all(page: Page) -> None:
    go(page, "Logs")
    ask(page, "logger:shop")
    expect_live(page)


def test_what_only_a_hub_has_is_said_where_it_is_missed(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(served.url)
    served.enter(page)
    served.log("logger.warning('one')")
    expect(row_with(page, "one")).to_have_count(1)

    go(page, "Sources")
    main = page.get_by_role("main", name="Sources")
    has_senders = served.way == "hub"
    expect(main.get_by_role("cell", name="web-1")).to_have_count(1 if has_senders else 0)
    expect(main.get_by_text("Senders and their ledger are what a hub has")).to_have_count(0 if has_senders else 1)

    go(page, "Settings")
    expect(page.get_by_role("region", name="snippet")).to_have_count(1 if has_senders else 0)


def test_page_without_events_teaches_how_to_log_the_first_and_turns_into_the_list(
    served: Served, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(served.url)
    served.enter(page)

    if served.way == "mounted":  # to sign in was logged
        ask(page, "logger:hello")
        expect(page.get_by_text("Nothing matches yet")).to_be_visible()
        served.log("logging.getLogger('hello').warning('the first event')")
    else:
        snippet = page.get_by_role("region", name="snippet").inner_text()
        assert ("RemoteHandler" in snippet and served.url.rstrip("/") in snippet) == (served.way == "hub")
        run_python(snippet, cwd=tmp_path) if served.way == "hub" else served.log(snippet)

    expect(row_with(page, "the first event")).to_have_count(1)
    expect(page.get_by_role("region", name="snippet")).to_have_count(0)


def test_full_result_is_exported_however_the_viewer_is_served(
    served: Served, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(served.url)
    served.enter(page)
    served.log(*SHOP)
    ask(page, "logger:shop")
    expect(row_with(page, "pricing failed")).to_have_count(1)
    page.get_by_role("button", name="Export", exact=True).click()
    menu = page.get_by_role("dialog", name="Export")

    for format_, archive in (("ndjson", "gz"), ("parquet", "none")):
        menu.get_by_role("radio", name=format_).check(force=True)
        menu.get_by_role("radio", name=archive).check(force=True)

        with page.expect_download() as download:
            menu.get_by_role("button", name="Save").click()

        download.value.save_as(tmp_path / format_)
        expect(menu.get_by_role("status")).to_contain_text("whole")

    lines = gzip.decompress((tmp_path / "ndjson").read_bytes()).splitlines()
    assert len([json.loads(line)["message"] for line in lines]) == 251
    assert pl.read_parquet(tmp_path / "parquet").height == 251


def test_application_with_a_sign_in_of_its_own_lets_nobody_else_see_page_answers_or_tail(
    tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    sockets: list[WebSocket] = []

    with serving("mounted", tmp_path) as served:
        page = open_page(served.url, watch=lambda page: page.on("websocket", lambda one: sockets.extend([one])))
        expect(page).to_have_url(re.compile("/login(#|$)"))

        tail = served.url.replace("http", "ws") + "api/v1/tail"
        assert page.request.get(f"{served.url}api/v1/search", max_redirects=0).status == 401
        assert not page.evaluate(OPENS, tail)

        page.get_by_label("Password").fill("open barley")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_label("Password")).to_have_value("")
        served.enter(page)
        assert page.evaluate(OPENS, tail)
        assert any(socket.url.startswith(tail) and not socket.is_closed() for socket in sockets)


def test_session_of_the_application_that_ended_is_said_and_led_back_to_its_sign_in(
    tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    with serving("mounted", tmp_path) as served:
        page = open_page(served.url)
        served.enter(page)
        served.log("sessions.clear()")

        ask(page, "level>=error")

        expect(page.get_by_role("alert")).to_contain_text("load this page again to sign in")
        expect(page.get_by_label("Token")).to_have_count(0)
        page.get_by_role("button", name="Load the page again").click()
        expect(page).to_have_url(re.compile("/login(#|$)"))


def test_hub_with_a_token_asks_for_it_once_and_then_tails(tmp_path: Path, open_page: Callable[..., Page]) -> None:
    token = "a-token-of-some-length"
    config = configuration("")

    with HubProcess(tmp_path / "hub", environment={"LOGHUB_TOKEN": token}) as hub:
        page = open_page(hub.url)
        field = page.get_by_label("Token")
        field.fill("a-wrong-one")
        field.press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        field.fill(token)
        field.press("Enter")
        expect_live(page)

        config["handlers"]["remote"] |= {"url": hub.url, "token": token}
        code = f"import logging, logging.config\nlogging.config.dictConfig({config!r})\nlogging.warning('let in')"
        run_python(code, cwd=tmp_path)
        expect(row_with(page, "let in")).to_have_count(1)

        page.reload()
        expect(rows(page)).to_have_count(1)
        expect_live(page)

        go(page, "Settings")
        page.get_by_role("button", name="Sign out").click()
        expect(field).to_be_visible()
        page.reload()
        expect(field).to_be_visible()
