"""The three ways to serve the viewer, each around an application that logs what a test tells it to.

What the how-tos show is what runs here: the YAML of the process's own port, the module that mounts the viewer.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from playwright.sync_api import Page, expect

from e2e.viewer_page import expect_live
from processes import HubProcess, configuration

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
PASSWORD = "open sesame"

Way: TypeAlias = Literal["hub", "process", "mounted"]
WAYS: tuple[Way, ...] = get_args(Way)

_LISTEN = """
def listen():
    for line in sys.stdin:
        exec(json.loads(line), globals())
        print("done", flush=True)
"""

_SENDING = """
logging.config.dictConfig({config!r})
logger = logging.getLogger("shop.cart")
listen()
"""

_SERVING = """
logging.config.dictConfig(yaml.safe_load({yaml!r}))
logger = logging.getLogger("shop.cart")
[handler] = logging.getLogger().handlers
print(f"http://{{handler.address}}/", flush=True)
listen()
"""

_MOUNTING = """
logger = logging.getLogger("shop.cart")

class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}/logs/", flush=True)

threading.Thread(target=listen, daemon=True).start()
Server(uvicorn.Config(app, port=0, log_config=None)).run()
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A viewer, and an application that it shows.

    Attributes:
        way: how it is served.
        url: the viewer's address.
        log: runs Python statements in the application, where `logger` is `shop.cart`; they are done when it returns.
    """

    way: Way
    url: str
    log: Callable[..., None]

    def enter(self, page: Page) -> None:
        """Sign in where the application asks for it; the page is at the viewer then, and live."""
        if self.way == "mounted":
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            expect(page).to_have_url(re.compile("/logs/"))

        expect_live(page)


@contextmanager
def serving(way: Way, folder: Path) -> Iterator[Served]:
    """Serve a viewer that way, with nothing logged yet."""
    if way == "hub":
        with (
            HubProcess(folder / "hub") as hub,
            _application(_SENDING.format(config=configuration(hub.url))) as (_, log),
        ):
            yield Served(way, f"{hub.url}/", log)
    elif way == "process":
        yaml = re.sub(r":[0-9]+\"", ':0"', how_to("watch-in-the-browser.md", "yaml"))

        with _application(_SERVING.format(yaml=yaml), waits=True) as (url, log):
            yield Served(way, url, log)
    else:
        with _application(how_to("mount-the-viewer.md", "python") + _MOUNTING, waits=True) as (url, log):
            yield Served(way, url, log)


def how_to(page: str, language: str) -> str:
    """Give the first block of a how-to in this language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", (HOW_TO / page).read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None, page
    return found[1]


def _sending_to(hub: HubProcess) -> AbstractContextManager[tuple[str, Callable[..., None]]]:
    return _application(_SENDING.format(config=configuration(hub.url)))


@contextmanager
def _application(code: str, *, waits: bool = False) -> Iterator[tuple[str, Callable[..., None]]]:
    """Run an application; give the line that it says first, if it is waited for, and what makes it log."""
    imports = "import json, logging, logging.config, sys, threading, uvicorn, yaml\n"
    process = subprocess.Popen(
        [sys.executable, "-c", imports + _LISTEN + code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "LOGHUB_HOSTNAME": "web-1"},
    )
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None
    one_at_a_time = threading.Lock()

    def log(*statements: str) -> None:
        with one_at_a_time:
            for statement in statements:
                stdin.write(json.dumps(statement) + "\n")
                stdin.flush()
                assert stdout.readline() == "done\n", statement

    try:
        yield (stdout.readline().strip() if waits else ""), log
    finally:
        process.kill()
        process.communicate()
