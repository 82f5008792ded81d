from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from served_hub import SOURCE, line, served

from loghub.hub.api.app import create_app
from loghub.hub.settings import Limits, Settings
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.quarantine import Quarantine

INGEST = "/api/v1/ingest"
PATH = "/api/v1/quarantine"
LONG = line("long " + "x" * 500, at=1)


@contextmanager
def hub(data: Path, longest: int = 300) -> Iterator[httpx.Client]:
    """Serve a hub that takes lines of so many bytes."""
    store = DuckStore(data)

    try:
        with (
            served(create_app(store, Settings(limits=Limits(line=longest)), ingest=True)) as address,
            httpx.Client(base_url=f"http://{address}") as client,
        ):
            yield client
    finally:
        store.close()


def send(client: httpx.Client, *lines: bytes, first: int = 1) -> None:
    key = f"{SOURCE}:{first}-{first + len(lines) - 1}"
    answer = client.post(INGEST, content=b"".join(lines), headers={"Idempotency-Key": key})
    assert answer.status_code == 200, answer.text


def messages(client: httpx.Client) -> list[str]:
    events = client.get("/api/v1/search", params={"order": "oldest"}).json()["events"]
    return [event["message"][:9] for event in events]


def test_bad_lines_are_shown_with_the_reason_and_the_good_ones_are_stored(tmp_path: Path) -> None:
    with hub(tmp_path) as client:
        send(client, line("one"), b"no JSON\n", LONG, b"\xff\n", line("two", at=2))
        shown = client.get(PATH).json()

        assert messages(client) == ["one", "two"]
        assert [found["id"] for found in shown["lines"]] == [f"{SOURCE}-{seq:016x}" for seq in (2, 3, 4)]
        assert [found["line"] for found in shown["lines"]] == [2, 3, 4]
        assert [found["text"] for found in shown["lines"]] == ["no JSON", LONG.decode().strip(), "\\xff"]
        assert "at most 300" in shown["lines"][1]["error"]
        assert (shown["total"], shown["dropped"], shown["cursor"]) == (3, 0, None)


def test_the_lines_come_page_by_page(tmp_path: Path) -> None:
    with hub(tmp_path) as client:
        send(client, *(b"bad %d\n" % number for number in range(5)))
        found: list[str] = []
        cursor: str | None = ""

        while cursor is not None:
            page = client.get(PATH, params={"limit": 2, "cursor": cursor}).json()
            found += [one["text"] for one in page["lines"]]
            cursor = page["cursor"]

        assert found == [f"bad {number}" for number in range(5)]
        assert client.get(PATH, params={"cursor": "x"}).status_code == 400


def test_what_is_purged_is_gone_and_new_lines_come(tmp_path: Path) -> None:
    with hub(tmp_path) as client:
        send(client, b"bad\n", line("one"))
        assert client.delete(PATH).json() == {"purged": 1}
        assert client.get(PATH).json()["lines"] == []
        send(client, b"worse\n", first=3)
        assert [found["text"] for found in client.get(PATH).json()["lines"]] == ["worse"]

    with hub(tmp_path) as client:
        assert client.get(PATH).json()["total"] == 1


def test_a_line_that_became_good_is_stored_once_and_the_others_stay(tmp_path: Path) -> None:
    with hub(tmp_path) as client:
        send(client, LONG, b"bad\n", line("one"))
        assert client.post(f"{PATH}/replay").json() == {"accepted": 0, "left": 2}

    with hub(tmp_path, 1000) as client:
        assert client.post(f"{PATH}/replay").json() == {"accepted": 1, "left": 1}
        assert client.post(f"{PATH}/replay").json() == {"accepted": 0, "left": 1}
        assert messages(client) == ["one", "long xxxx"]
        assert [found["text"] for found in client.get(PATH).json()["lines"]] == ["bad"]

    with hub(tmp_path, 1000) as client:
        assert client.post(f"{PATH}/replay").json() == {"accepted": 0, "left": 1}
        assert sorted(messages(client)) == ["long xxxx", "one"]


def test_a_replay_that_breaks_off_goes_on_and_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Quarantine, _named: object) -> None:
        raise OSError(28, "No space left on device")

    with hub(tmp_path) as client:
        send(client, *(LONG.replace(b"long ", b"long%d" % number) for number in range(3)))

    with hub(tmp_path, 1000) as client:
        with monkeypatch.context() as patch:
            patch.setattr(Quarantine, "remove", fail)
            answer = client.post(f"{PATH}/replay")
            assert (answer.status_code, answer.headers["Retry-After"]) == (507, "5")

        send(client, LONG.replace(b"xxx", b"yyy" * 300), first=4)
        assert client.get(PATH).json()["total"] == 4

    with hub(tmp_path, 1_000_000) as client:
        assert client.post(f"{PATH}/replay").json() == {"accepted": 1, "left": 0}
        assert sorted(messages(client)) == ["long yyyy", "long0xxxx", "long1xxxx", "long2xxxx"]


def test_an_engine_without_a_quarantine_shows_none() -> None:
    with (
        served(create_app(MemoryStore(5), Settings(), ingest=True)) as address,
        httpx.Client(base_url=f"http://{address}") as client,
    ):
        assert client.get(PATH).json() == {"lines": [], "total": 0, "dropped": 0, "cursor": None}
        assert client.delete(PATH).json() == {"purged": 0}
        assert client.post(f"{PATH}/replay").json() == {"accepted": 0, "left": 0}
