import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from demo.marked import Mark

from processes import HubProcess, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

SERVICES = {"shop", "catalog", "payments"}


@dataclass(slots=True)
class Demo:
    """A running `loghub demo`."""

    process: "subprocess.Popen[str]"
    mark: Mark
    lines: list[str] = field(default_factory=list)

    def read_until(self, pattern: str) -> "re.Match[str]":
        """Read what it prints up to a line in which the pattern is found."""
        assert self.process.stdout is not None

        for line in self.process.stdout:
            self.lines.append(line)

            if found := re.search(pattern, line):
                return found

        raise AssertionError("".join(self.lines))

    def until_it_logs(self) -> None:
        self.read_until(r"logged [1-9]\d* .* in the hub [1-9]")

    def child(self, words: str) -> int:
        """Give the id of the child whose command line has these words."""
        return next(pid for pid in self.mark.processes() if words in command_line(pid))

    def finish(self) -> str:
        """Wait for its end; give all that it printed."""
        out, err = self.process.communicate(timeout=100)
        return "".join(self.lines) + out + err


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def command(*options: object) -> list[str]:
    return [sys.executable, "-m", "loghub.cli", "demo", "--no-browser", *map(str, options)]


@contextmanager
def showing(*options: object, port: int = 0) -> Iterator[Demo]:
    mark = Mark()
    process = subprocess.Popen(
        command("--port", port, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**mark.environment, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )

    try:
        with process:
            yield Demo(process, mark)
            process.kill()
    finally:
        for pid in mark.processes():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What a demo of five seconds printed, and the data that it kept."""
    data = tmp_path_factory.mktemp("demo") / "hub"

    with showing("--for", "5s", "--data", data) as demo:
        printed = demo.finish()
        assert demo.process.returncode == 0, printed
        assert demo.mark.processes() == []

    return printed, data


@pytest.fixture(scope="module")
def events(shown: tuple[str, Path]) -> list[dict[str, Any]]:
    with HubProcess(shown[1]) as hub:
        return hub.events()


def test_hub_has_each_record_that_the_services_logged(shown: tuple[str, Path], events: list[dict[str, Any]]) -> None:
    found = re.search(r"logged (\d+) records; the hub has (\d+) of them", shown[0])

    assert found is not None, shown[0]
    assert int(found[1]) > 50
    assert found[1] == found[2]
    assert len(events) == int(found[1])
    assert len({event["_id"] for event in events}) == len(events)


def test_proxy_of_the_environment_is_not_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    with showing("--data", tmp_path) as demo:
        demo.until_it_logs()


def test_configuration_is_printed_whole(shown: tuple[str, Path]) -> None:
    import loghub.demo.run  # noqa: PLC0415 (needs extras)

    assert loghub.demo.run.LOGGING.read_text("utf-8") in shown[0]


def test_data_that_is_kept_is_named_with_the_command_that_shows_it(shown: tuple[str, Path]) -> None:
    assert f"loghub serve --data {shown[1]}" in shown[0]


def test_request_ids_cross_the_services(events: list[dict[str, Any]]) -> None:
    services: dict[str, set[str]] = {}

    for event in events:
        if "request_id" in event:
            services.setdefault(event["request_id"], set()).add(event["service"])

    assert {frozenset(found) for found in services.values()} >= {frozenset({"shop", "catalog"})}


def test_services_loggers_levels_and_extras_are_many(events: list[dict[str, Any]]) -> None:
    assert {event["service"] for event in events} == SERVICES
    assert {event["level"] for event in events} >= {"DEBUG", "INFO"}
    assert {event["logger"] for event in events} >= {"shop.web", "shop.upstream", "catalog.prices", "catalog.stock"}
    assert {key for event in events for key in event} >= {"sku", "price", "region", "duration_ms", "request_id"}


def test_ctrl_c_delivers_everything_and_leaves_no_process() -> None:
    with showing() as demo:
        demo.until_it_logs()
        os.killpg(demo.process.pid, signal.SIGINT)  # as a terminal does it
        printed = demo.finish()

        assert demo.process.returncode == 0, printed
        assert demo.mark.processes() == []

    found = re.search(r"logged (\d+) records; the hub has (\d+) of them", printed)
    assert found is not None, printed
    assert found[1] == found[2]
    assert "Traceback" not in printed


def test_sigterm_during_the_start_ends_cleanly() -> None:
    with showing() as demo:
        demo.read_until("The hub listens at")
        demo.process.send_signal(signal.SIGTERM)
        printed = demo.finish()

        assert demo.process.returncode == 0, printed
        assert demo.mark.processes() == []

    assert "Traceback" not in printed


def test_a_second_ctrl_c_does_not_wait() -> None:
    with showing() as demo:
        demo.until_it_logs()
        os.kill(demo.child("host shop"), signal.SIGSTOP)  # it will not leave by itself
        demo.process.send_signal(signal.SIGINT)
        demo.read_until("Closing the shop")
        demo.process.send_signal(signal.SIGINT)
        printed = demo.finish()

        assert demo.process.returncode == 130, printed
        assert demo.mark.processes() == []

    assert "Traceback" not in printed


def test_killed_demo_leaves_no_process() -> None:
    with showing() as demo:
        demo.until_it_logs()
        assert len(demo.mark.processes()) == 6
        demo.process.kill()
        demo.process.wait(60)

        wait_for(lambda: not demo.mark.processes())


def test_data_that_is_not_kept_is_removed() -> None:
    with showing() as demo:
        data = Path(demo.read_until(r"Its data is in (\S+),")[1])
        assert data.is_dir()
        demo.process.send_signal(signal.SIGTERM)
        demo.finish()

    assert not data.exists()


@pytest.mark.parametrize(("words", "name"), [("host payments", "payments"), ("loghub.cli serve", "the hub")])
def test_crash_of_a_process_is_reported_and_ends_the_demo(words: str, name: str) -> None:
    with showing() as demo:
        demo.until_it_logs()
        os.kill(demo.child(words), signal.SIGKILL)
        printed = demo.finish()

        assert demo.process.returncode == 2
        assert demo.mark.processes() == []

    assert f"loghub: {name} ended by itself" in printed
    assert "Traceback" not in printed


def test_port_in_use_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with showing(port=port) as demo:
            assert demo.process.stderr is not None
            said = demo.process.stderr.read()
            assert demo.process.wait(60) == 2

    assert said.startswith("loghub: ")
    assert said.count("\n") == 1
    assert str(port) in said
    assert "in use" in said


def test_wrong_length_is_named_with_its_remedy() -> None:
    done = subprocess.run(command("--for", "soon"), check=False, capture_output=True, text=True, timeout=100)

    assert done.returncode == 2
    assert done.stderr.startswith("loghub: loghub demo: --for='soon': give seconds as a number")
