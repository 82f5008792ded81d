import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

TOKEN = "correct-horse-battery-staple"


@dataclass(frozen=True, slots=True)
class Hub:
    """A running `loghub serve`: its process, and the line that it printed."""

    process: "subprocess.Popen[str]"
    line: str

    @property
    def url(self) -> str:
        found = re.search(r"http://\S+", self.line)
        assert found is not None, self.line
        return found[0]

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; give the exit status and all that was printed."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=100)
        return self.process.returncode, self.line + out + err


def command(*options: object) -> list[str]:
    return [sys.executable, "-m", "loghub.cli", "serve", *map(str, options)]


@contextmanager
def serving(*options: object, environment: Mapping[str, str] | None = None) -> Iterator[Hub]:
    process = subprocess.Popen(
        command("--port", 0, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    )

    with process:
        assert process.stdout is not None
        yield Hub(process, process.stdout.readline())
        process.kill()


def refused(*options: object, **environment: str) -> str:
    done = subprocess.run(
        command(*options),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr.rstrip("\n")


def test_hub_says_where_it_listens_and_where_its_data_is(tmp_path: Path) -> None:
    with serving("--data", tmp_path / "hub") as hub:
        assert re.fullmatch(
            rf"The hub listens at http://127\.0\.0\.1:\d+ and keeps its data in {tmp_path}/hub\n", hub.line
        )
        assert httpx.get(f"{hub.url}/healthz").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_hub_ends_cleanly_on_a_signal_and_keeps_what_it_took(tmp_path: Path, number: int) -> None:
    with serving("--data", tmp_path) as hub:
        taken = httpx.post(f"{hub.url}/api/v1/ingest", content=b'{"message":"kept"}\n')
        status, printed = hub.end(number)

    assert taken.json()["accepted"] == 1
    assert status == 0, printed
    assert "Traceback" not in printed

    with serving("--data", tmp_path) as again:
        found = httpx.get(f"{again.url}/api/v1/search").json()["events"]

    assert [event["message"] for event in found] == ["kept"]


@pytest.mark.parametrize("way", ["option", "variable", "file"])
def test_token_is_asked_for_and_never_printed(tmp_path: Path, way: str) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    options = {"option": ("--token", TOKEN), "file": ("--token-file", file)}.get(way, ())
    environment = {"LOGHUB_TOKEN": TOKEN} if way == "variable" else {}

    with serving("--data", tmp_path / "hub", *options, environment=environment) as hub:
        without = httpx.get(f"{hub.url}/api/v1/search")
        shown = httpx.get(f"{hub.url}/api/v1/search", headers={"Authorization": f"Bearer {TOKEN}"})
        _, printed = hub.end(signal.SIGTERM)

    assert without.status_code == 401
    assert shown.status_code == 200
    assert TOKEN not in printed


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--keep", "soon"), "loghub serve: --keep='soon': give seconds as a number"),
        (("--keep-size", "much"), "loghub serve: --keep-size='much': give bytes as a number"),
        (("--keep-free", "5 percent"), "loghub serve: --keep-free='5 percent': give bytes of the disk that stay free"),
        (("--keep-query", "level:(", "1 day"), "loghub serve: --keep-query='level:(': give a query that can be read"),
        (("--host", "0.0.0.0"), "set a token to listen beyond loopback"),
        (("--tls-cert", "a.pem"), "give tls_cert and tls_key together"),
        (("--token-file", "nowhere"), "give a file that can be read"),
        (("--token", TOKEN, "--token-file", "nowhere"), "give the token in one place"),
    ],
)
def test_wrong_option_is_named_with_value_and_remedy(tmp_path: Path, options: tuple[str, ...], sentence: str) -> None:
    said = refused("--data", tmp_path, "--port", 0, *options)

    assert said.startswith("loghub: ")
    assert sentence in said
    assert TOKEN not in said


def test_token_too_short_is_refused_without_showing_it(tmp_path: Path) -> None:
    said = refused("--data", tmp_path, LOGHUB_TOKEN="hush")

    assert "at least 8" in said
    assert "hush" not in said


def test_empty_token_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").touch()

    assert "the file is empty" in refused("--data", tmp_path, "--token-file", tmp_path / "token")


def test_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused("--data", tmp_path, "--port", port)

    assert said.startswith("loghub: loghub serve: port=")
    assert str(port) in said
    assert "in use" in said


def test_data_directory_of_another_hub_is_refused(tmp_path: Path) -> None:
    with serving("--data", tmp_path):
        assert str(tmp_path) in refused("--data", tmp_path, "--port", 0)


def test_missing_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['duckdb'] = None; sys.argv = ['loghub', 'serve']; from loghub.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)

    assert done.returncode == 2
    assert done.stderr == "loghub: loghub serve needs the 'hub' extra: pip install 'loghub[hub]'\n"
