"""The same viewer, served by a process about itself, mounted under a prefix, and behind a token."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from e2e.viewer_page import ask, expect_live, row_with, rows
from processes import HubProcess, configuration, run_python

SERVED = """
import logging, sys, loghub
handler = loghub.BroadcastHandler(serve="127.0.0.1:0")
logging.getLogger().addHandler(handler)
logging.getLogger("shop").error("before anybody looked")
print(f"http://{handler.address}/", flush=True)

for line in sys.stdin:
    logging.getLogger("shop").warning(line.strip())
"""

MOUNTED = """
import logging, sys, threading, fastapi, uvicorn, loghub

handler = loghub.BroadcastHandler()
logging.getLogger().addHandler(handler)
logging.getLogger("shop").error("before anybody looked")
app = fastapi.FastAPI()
app.mount("/internal/logs", handler.app)

class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}/internal/logs/", flush=True)

def say():
    for line in sys.stdin:
        logging.getLogger("shop").warning(line.strip())

threading.Thread(target=say, daemon=True).start()
Server(uvicorn.Config(app, port=0, log_config=None)).run()
"""


@contextmanager
def application(code: str) -> Iterator[tuple[str, Callable[[str], None]]]:
    """Run an application; give the address of its viewer, and a function that makes it log."""
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    stdin = process.stdin

    def say(message: str) -> None:
        stdin.write(f"{message}\n")
        stdin.flush()

    try:
        yield process.stdout.readline().strip(), say
    finally:
        process.kill()
        process.communicate()


def watch(code: str, open_page: Callable[..., Page]) -> None:
    with application(code) as (url, say):
        page = open_page(url)
        expect_live(page)
        expect(row_with(page, "before anybody looked")).to_have_count(1)

        say("while somebody looks")
        expect(row_with(page, "while somebody looks")).to_have_count(1)

        ask(page, "level>=error")
        expect(row_with(page, "while somebody looks")).to_have_count(0)
        expect(row_with(page, "before anybody looked")).to_have_count(1)


def test_process_serves_the_viewer_about_itself(open_page: Callable[..., Page]) -> None:
    watch(SERVED, open_page)


def test_process_that_has_logged_nothing_says_so_and_asks_nobody_to_send(open_page: Callable[..., Page]) -> None:
    silent = SERVED.replace('logging.getLogger("shop").error("before anybody looked")', "")

    with application(silent) as (url, say):
        page = open_page(url)
        expect(page.get_by_text("This process shows what it logs itself")).to_be_visible()
        expect(page.get_by_text("RemoteHandler")).to_have_count(0)

        say("first")
        expect(row_with(page, "first")).to_have_count(1)


def test_viewer_works_mounted_under_a_prefix_of_a_fastapi_application(open_page: Callable[..., Page]) -> None:
    watch(MOUNTED, open_page)


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
