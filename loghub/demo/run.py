"""The demo from its start to its end.

Ctrl-C, SIGTERM, a closed terminal and the end of `--for` all do the same: the shop closes, what
its services logged is delivered and counted, then the hub ends. A second Ctrl-C does not wait.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
from rich.console import Console

from loghub.demo.counts import HubCounts
from loghub.demo.crew import Crew
from loghub.demo.report import Report, Standing
from loghub.errors import ConfigError

LOGGING = Path(__file__).parent / "logging.yaml"

_REFRESH_SECONDS = 0.5
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_INTERRUPTED = 130

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Options:
    """What the demo was told.

    Attributes:
        port: of the hub; 0 takes a free one.
        seconds: how long the shop is open; None until it is ended.
        data: where the hub keeps its data; None throws it away at the end.
        browser: whether to open one.
    """

    port: int = 8514
    seconds: float | None = None
    data: Path | None = None
    browser: bool = True


def run(options: Options) -> int:
    """Run the demo.

    Returns:
        The exit status: 0 where the hub has every record that the services logged.

    Raises:
        ConfigError: the port is taken.
        LoghubError: the hub refuses to start, or a process ended by itself.
    """
    _check_port(options.port)

    try:
        return asyncio.run(_Demo(options, Report(Console())).run())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _INTERRUPTED


def _check_port(port: int) -> None:
    """Find out that a port is taken before anything is shown or started."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        remedy = f"{error.strerror}: end what listens there, or take a free one with --port 0"
        raise ConfigError("loghub demo", "--port", port, remedy) from error


class _Demo:
    def __init__(self, options: Options, report: Report) -> None:
        self._options = options
        self._report = report
        self._opened = time.monotonic()
        self._found: dict[str, int] = {}

    async def run(self) -> int:
        stop = _stop_on_signals()

        with _data_directory(self._options.data) as data:
            async with Crew() as crew:
                self._report.opening(LOGGING)
                complete = await self._show(crew, data, stop)

        return 0 if complete else 1

    async def _show(self, crew: Crew, data: Path, stop: asyncio.Event) -> bool:
        url = await _unless(stop, crew.start_hub(self._options.port, data))

        if url is None:
            return True

        self._report.address(url, data, kept=self._options.data is not None)

        async with HubCounts(url) as counts:
            with self._report.running():
                await _unless(stop, self._keep_open(crew, counts, url))

            self._report.note("Closing the shop …")
            await crew.close_shop()
            self._found = await counts.by_service()

        standing = self._standing(crew)
        self._report.closing(standing, self._options.data)
        return standing.is_complete

    async def _keep_open(self, crew: Crew, counts: HubCounts, url: str) -> None:
        """Open the shop and follow it until its time is over; a process that ends by itself is an error."""
        await crew.open_shop(url)
        self._opened = time.monotonic()

        if self._options.browser:
            await _open_browser(url)

        follow = asyncio.create_task(self._follow(crew, counts))

        try:
            async with asyncio.timeout(self._options.seconds):
                raise await crew.failure()
        except TimeoutError:
            return
        finally:
            follow.cancel()

    async def _follow(self, crew: Crew, counts: HubCounts) -> None:
        while True:
            self._report.show(self._standing(crew))

            # A hub that does not answer has ended, which is reported, or is slow: then the next count shows it.
            with suppress(httpx.HTTPError):
                self._found = await counts.by_service()

            # Meanwhile the services report: what is shown as found was logged before.
            await asyncio.sleep(_REFRESH_SECONDS)

    def _standing(self, crew: Crew) -> Standing:
        return Standing(time.monotonic() - self._opened, dict(crew.tallies), self._found)


def _stop_on_signals() -> asyncio.Event:
    """Give an event that the first signal sets; the second one cancels the task, which then kills what is left."""
    loop, stop, demo = asyncio.get_running_loop(), asyncio.Event(), asyncio.current_task()
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]

    def on_signal() -> None:
        if stop.is_set() and demo is not None:
            demo.cancel()

        stop.set()

    with suppress(NotImplementedError):  # Windows: Ctrl-C interrupts, and the leash ends the children
        for number in numbers:
            loop.add_signal_handler(number, on_signal)

    return stop


async def _unless(stop: asyncio.Event, work: Coroutine[None, None, _T]) -> _T | None:
    """Do a piece of work; None where it was stopped before its end."""
    task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())

    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        stopped.cancel()
        task.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)


@contextmanager
def _data_directory(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
        return

    with tempfile.TemporaryDirectory(prefix="loghub-demo-", ignore_cleanup_errors=True) as thrown_away:
        yield Path(thrown_away)


async def _open_browser(url: str) -> None:
    """Open a browser where there is a screen for it; a text browser would take our terminal."""
    if sys.platform == "linux" and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))):
        return

    # A process of its own: whatever opens the page may take its time and may talk.
    await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "webbrowser", url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
