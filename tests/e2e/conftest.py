"""A hub, Chromium, and applications in processes of their own."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from processes import HubProcess, configuration, free_port, run_python, wait_for

CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A name that is not ours, for pages of another origin.
    "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP rebound.example 127.0.0.1",
)

expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("LOGHUB_CHROMIUM") or shutil.which("chromium")

    if chromium is None:
        pytest.fail("browser tests need Chromium: put it on PATH as `chromium`, or name it in LOGHUB_CHROMIUM")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_OPTIONS])

        yield browser

        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Give a function that opens an address in a browser of its own: no cookies, no storage are shared."""
    contexts = []
    errors: list[str] = []

    def open_page(
        url: str,
        *,
        width: int = 1440,
        height: int = 860,
        scheme: str = "light",
        density: float = 1,
        zone: str | None = None,
        watch: Callable[[Page], None] = lambda _: None,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            device_scale_factor=density,
            timezone_id=zone,
        )
        context.set_default_timeout(100_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        watch(page)
        page.goto(url)
        return page

    yield open_page

    for context in contexts:
        context.close()

    assert errors == [], "a script of the page failed"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    with HubProcess(tmp_path / "hub") as hub:
        yield hub


@pytest.fixture
def scripted() -> Iterator[Callable[..., str]]:
    """Give a function that starts an API without a store (see scripted_api.py), and gives its address."""
    started = []

    def start(*, events: int = 0, rate: int = 0) -> str:
        port = free_port()
        script = Path(__file__).with_name("scripted_api.py")
        options = ["--port", str(port), "--events", str(events), "--rate", str(rate)]
        started.append(subprocess.Popen([sys.executable, str(script), *options]))
        wait_for(lambda: answers(port))
        return f"http://127.0.0.1:{port}"

    yield start

    for process in started:
        process.terminate()
        process.wait(timeout=60)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True

    return False


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., None]:
    """Give a function that runs Python statements in another process, which logs to a hub with `logger`."""

    def log(hub: HubProcess, *statements: str, service: str = "shop", host: str = "web-1") -> None:
        config = configuration(hub.url, service)
        code = ["import logging, logging.config", f"logging.config.dictConfig({config!r})"]
        lines = [*code, "logger = logging.getLogger('shop.cart')", *statements]
        run_python("\n".join(lines), cwd=tmp_path, LOGHUB_HOSTNAME=host)

    return log


@pytest.fixture(scope="session")
def shots() -> Path:
    """Give the folder for screenshots."""
    folder = Path(os.environ.get("LOGHUB_TEST_SHOTS") or Path(__file__).parent / "shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
