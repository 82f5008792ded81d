import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from served_hub import batch, line, served

from loghub.cli.commands import loghub
from loghub.client import Hub
from loghub.errors import ConfigError
from loghub.hub.api.app import create_app
from loghub.hub.settings import Settings
from loghub.hub.store.memory import MemoryStore

TOKEN = "token-of-a-test"


@pytest.fixture
def memory() -> MemoryStore:
    store = MemoryStore(10_000)
    store.append([batch(*(line(f"m{at}", at, level=("INFO", "ERROR")[at % 2]) for at in range(10)))])
    return store


@pytest.fixture
def url(memory: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("LOGHUB_TOKEN", TOKEN)

    with served(create_app(memory, Settings(token=TOKEN), ingest=False)) as address:
        monkeypatch.setenv("LOGHUB_URL", f"http://{address}/")
        yield f"http://{address}"


def run(*words: str) -> Any:
    return CliRunner().invoke(loghub, words, catch_exceptions=True)


def test_search_shows_what_a_hub_has(url: str) -> None:
    found = run("search", "level:error", url)
    assert found.exit_code == 0
    assert [text.split()[-1] for text in found.stdout.splitlines()] == ["m1", "m3", "m5", "m7", "m9"]

    found = run("search", "", url, "-n", "2", "--json")
    assert [json.loads(text)["message"] for text in found.stdout.splitlines()] == ["m8", "m9"]
    assert run("search", "nothing", url).exit_code == 1


@pytest.mark.parametrize("words", [("search", ""), ("tail",), ("export", "")])
def test_token_of_the_environment_goes_to_the_hub_it_was_given_for_alone(
    url: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(*words, url).exit_code == 0

    for other in ("http://127.0.0.1:1", None):
        monkeypatch.setenv("LOGHUB_URL", other) if other else monkeypatch.delenv("LOGHUB_URL")
        assert run(*words, url).exit_code != 0

    assert run(*words, url, "--token", TOKEN).exit_code == 0


def test_a_hub_beside_files_is_refused(url: str, tmp_path: Path) -> None:
    assert isinstance(run("search", "", url, str(tmp_path)).exception, ConfigError)


def test_tail_shows_the_last_ones(url: str) -> None:
    found = run("tail", url, "-n", "2", "-q", "level:error")
    assert [text.split()[-1] for text in found.stdout.splitlines()] == ["m7", "m9"]


@pytest.mark.parametrize(
    ("words", "count", "shown"),
    [
        (("-n", "1"), 2, ["m9", "new1", "new2"]),
        (("-q", "level:error OR m8", "-n", "2"), 1, ["m8", "m9", "new2"]),
    ],
)
def test_tail_follows_and_shows_each_event_that_matches_once(
    url: str, memory: MemoryStore, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], count: int, shown: list[str]
) -> None:
    original = Hub.tail_lines

    def first_ones(hub: Hub, *arguments: Any, **options: Any) -> Iterator[Any]:
        memory.append([batch(line("new1"), line("new2", level="ERROR"), first=11)])
        yield from islice(original(hub, *arguments, **options), count)
        raise KeyboardInterrupt

    monkeypatch.setattr(Hub, "tail_lines", first_ones)
    found = run("tail", *words, url, "-f")
    assert [text.split()[-1] for text in found.stdout.splitlines()] == shown


def test_export_writes_a_file_and_shows_how_far_it_is(url: str, tmp_path: Path) -> None:
    target = tmp_path / "events.ndjson"
    found = run("export", "level:error", url, "-o", str(target))
    assert found.exit_code == 0, found.output
    assert [json.loads(text)["message"] for text in target.read_text().splitlines()] == ["m1", "m3", "m5", "m7", "m9"]
    assert "5 of 5 events" in found.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["events.ndjson"]
    assert isinstance(run("export", "", url, "-o", str(target)).exception, ConfigError)


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.csv", b"message\r\n"), ("a.csv.gz", b"\x1f\x8b"), ("a.zip", b"PK"), ("a.txt", b"m0\n"), ("a", b'{"_id"')],
)
def test_the_name_of_the_file_says_the_format(url: str, tmp_path: Path, name: str, start: bytes) -> None:
    found = run("export", "| fields message", url, "-o", str(tmp_path / name))
    assert found.exit_code == 0, found.exception
    assert (tmp_path / name).read_bytes().startswith(start)


def test_an_export_goes_to_stdout_without_a_file(url: str) -> None:
    found = run("export", "m1", url, "--format", "csv")
    assert found.stdout.startswith("_id,timestamp,")
    assert ",m1," in found.stdout


def test_an_export_is_taken_up_again_behind_the_last_whole_line(url: str, tmp_path: Path) -> None:
    target = tmp_path / "events.ndjson"
    run("export", "", url, "-o", str(target))
    whole = target.read_bytes()
    target.unlink()
    (tmp_path / "events.ndjson.part").write_bytes(whole[: len(whole) // 2])
    found = run("export", "", url, "-o", str(target), "--resume")
    assert found.exit_code == 0, found.exception
    assert target.read_bytes() == whole


@contextmanager
def breaking(url: str, cuts: int) -> Iterator[tuple[str, list[str]]]:
    """Stand before a hub and break the first exports off in the middle; gives the address, and what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {"Authorization": self.headers.get("Authorization", "")}
            body = httpx.get(url + self.path, headers=headers).content
            is_cut = "/export" in self.path and len(asked) < cuts
            asked.extend([self.path] if "/export" in self.path else [])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if is_cut else body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join(60)


def test_a_connection_that_breaks_is_taken_up_again_behind_the_last_whole_event(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loghub.cli.export._PAUSE_S", 0)
    target = tmp_path / "events.ndjson"

    with breaking(url, 2) as (address, asked):
        found = run("export", "", address, "-o", str(target), "--token", TOKEN)

    assert found.exit_code == 0, found.output
    assert [json.loads(text)["message"] for text in target.read_text().splitlines()] == [f"m{at}" for at in range(10)]
    assert found.stderr.count("trying again") == 2
    cursors = [path.partition("cursor=")[2].partition("&")[0] for path in asked]
    assert cursors == ["", *sorted(cursors[1:])]
    assert len(set(cursors)) == 3


def test_a_refusal_leaves_no_file(url: str, tmp_path: Path) -> None:
    found = run("export", "level>=", url, "-o", str(tmp_path / "x.ndjson"))
    assert found.exception is not None
    assert not (tmp_path / "x.ndjson").exists()
