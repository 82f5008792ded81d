"""Real processes for tests: a hub, and applications that log to it."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

_ADDRESS = re.compile(r"https?://[^\s/]+")


_PORTS, _BLOCK = range(10_000, 32_000), 50
_claimed: list[socket.socket] = []
_ports: Iterator[int] = iter(())


def free_port() -> int:
    """Give a port that nobody listens on now, nor will: it stays ours when it is closed and opened again.

    1. It lies below the ports that the system gives to whoever asks for any (`bind` to 0, `connect`).
    2. It is of a block that this process alone takes from: the block's first port is held for UDP until the end.
    3. It is given once, so that what an earlier test left behind (an engine, a client) does not meet a later one.
    """
    global _ports  # noqa: PLW0603 (they are the process's)

    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port

    _ports = _claim_block()
    return free_port()


def _claim_block() -> Iterator[int]:
    while True:
        start = random.choice(_PORTS[::_BLOCK])
        claim = socket.socket(type=socket.SOCK_DGRAM)

        try:
            claim.bind(("127.0.0.1", start))
        except OSError:
            claim.close()
            continue

        _claimed.append(claim)
        return iter(range(start + 1, start + _BLOCK))


def wait_for(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait until `what` gives something true, and give it."""
    deadline = time.monotonic() + seconds

    while not (found := what()):
        assert time.monotonic() < deadline, f"nothing within {seconds} s"
        time.sleep(0.02)

    return found


def open_files(folder: Path) -> list[str]:
    """Give the files in a folder that this process has open; threads of other tests open and close others."""
    found = []

    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            found.append(str(link.readlink()))

    return [path for path in found if path.startswith(f"{folder}/")]


class HubProcess:
    """`loghub serve` on a fixed port, so that it can be stopped and started again."""

    def __init__(
        self,
        data: Path,
        *options: str,
        environment: Mapping[str, str] | None = None,
        stderr: IO[str] | None = None,
    ) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._options = options
        self._stderr = stderr
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "HubProcess":
        """Start it and wait until it takes lines."""
        command = [sys.executable, "-m", "loghub.cli", "serve", "--data", str(self.data), "--port", str(self.port)]
        self._process = subprocess.Popen(
            [*command, *self._options], stdout=subprocess.PIPE, stderr=self._stderr, text=True, env=self._environment
        )
        assert self._process.stdout is not None
        line = ""

        while not _ADDRESS.search(line):
            line = self._process.stdout.readline()
            assert line, "the hub ended before it listened"

        wait_for(self.is_ready)
        return self

    @property
    def pid(self) -> int:
        """Number of the process."""
        assert self._process is not None
        return self._process.pid

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self, with_signal: int = signal.SIGTERM) -> None:
        """End it and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(with_signal)
            self._process.communicate(timeout=100)
            self._process = None

    def get(self, path: str, **parameters: object) -> Any:
        """Ask the API and give the decoded answer."""
        query = urllib.parse.urlencode({key: value for key, value in parameters.items() if value is not None})

        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=60) as answer:
            return json.load(answer)

    def events(self, query: str = "") -> list[dict[str, Any]]:
        """Give all events that match, over all pages, newest first."""
        found: list[dict[str, Any]] = []
        cursor = None

        while True:
            page = self.get("search", query=query, limit=1000, cursor=cursor)
            found.extend(page["events"])
            cursor = page["cursor"]

            if cursor is None:
                return found

    def wait_for_events(self, query: str, number: int, seconds: float = 60.0) -> list[dict[str, Any]]:
        """Wait until so many events match."""
        return wait_for(lambda: found if len(found := self.events(query)) >= number else None, seconds)  # type: ignore[no-any-return]

    def __enter__(self) -> "HubProcess":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


_HEIR = """
import logging, sys, time, loghub
handler = loghub.RemoteHandler(sys.argv[1], spool=sys.argv[2], linger="5 ms", exit_deadline="60 s")
logging.getLogger("heir").addHandler(handler)
logging.getLogger("heir").warning("the heir")
assert handler.flush(60)

while handler.counters.queued:
    time.sleep(0.01)
"""


def empty(spool: Path, url: str) -> None:
    """Wait until a spool has neither records nor folders: an exit waits for its own records, the next one for all."""

    def is_empty() -> bool:
        if any((spool / "v1").iterdir()):
            subprocess.run([sys.executable, "-c", _HEIR, url, str(spool)], check=True, timeout=100)

        return not any((spool / "v1").iterdir())

    wait_for(is_empty)


def configuration(url: str, service: str = "shop", **handlers: Any) -> dict[str, Any]:
    """Give a dictConfig that sends to a hub."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "loghub.JSONFormatter", "static": {"service": service}}},
        "handlers": {
            "remote": {"class": "loghub.RemoteHandler", "url": url, "formatter": "json", "exit_deadline": "60 s"},
            **handlers,
        },
        "root": {"level": "DEBUG", "handlers": ["remote", *handlers]},
    }


def run_python(code: str, *, cwd: Path, timeout: float = 60, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a script in a fresh interpreter; it must end well."""
    path = cwd / "script.py"
    path.write_text(textwrap.dedent(code))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        check=False, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done
