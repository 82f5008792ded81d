import importlib.util
import sys
import threading
from collections.abc import Iterator
from itertools import islice

import httpx
import pytest
from served_hub import TIME_US, batch, line, served

from loghub.client import Hub
from loghub.errors import ConfigError, HubError, MissingExtraError
from loghub.event.model import format_time
from loghub.hub.api.app import create_app
from loghub.hub.settings import Limits, Settings
from loghub.hub.store.memory import MemoryStore

TOKEN = "token-of-a-test"


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore(10_000)


@pytest.fixture
def hub(memory: MemoryStore) -> Iterator[Hub]:
    with (
        served(create_app(memory, Settings(token=TOKEN, limits=Limits(lag=1000)), ingest=False)) as address,
        Hub(f"http://{address}/", token=TOKEN) as hub,
    ):
        yield hub


def test_a_search_gives_events_over_all_pages(hub: Hub, memory: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loghub.client._PAGE", 7)
    memory.append([batch(*(line(str(at), at, n=2**62 + 1) for at in range(30)))])

    assert [event.fields["message"] for event in hub.search()] == [str(at) for at in range(29, -1, -1)]
    assert [event.fields["message"] for event in hub.search("message:1*", order="oldest", limit=9)] == [
        "1", *map(str, range(10, 18))
    ]  # fmt: skip
    bounds = {"since": format_time(TIME_US + 5_000_000), "until": format_time(TIME_US + 7_000_000)}
    (newest, oldest) = hub.search(**bounds)  # type: ignore[arg-type]
    assert (newest.time_us, oldest.fields["n"]) == (TIME_US + 6_000_000, 2**62 + 1)
    assert "_id" not in newest.fields
    assert hub.count("message:1*") == 11


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_search_becomes_a_data_frame(
    hub: Hub, memory: MemoryStore, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    _leave_only(library, monkeypatch)
    memory.append([batch(line("a", user=1, n=1), line("b", 1, user="x", n=2))])
    frame = hub.search(order="oldest").to_dataframe()

    assert type(frame).__module__.partition(".")[0] == library
    assert list(frame["message"]) == ["a", "b"]
    assert list(frame["n"]) == [1, 2]
    assert len(frame["user"]) == 2
    assert len(hub.search("nothing").to_dataframe()) == 0


def test_a_data_frame_without_a_library_says_what_to_install(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    _leave_only("", monkeypatch)
    monkeypatch.setitem(sys.modules, "polars", None)

    with pytest.raises(MissingExtraError, match=r"loghub\[dataframe\]"):
        hub.search().to_dataframe()


def _leave_only(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide pandas, which is taken first, where another library or none is to be there."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "pandas" and library != name else find(name)
    )


def test_a_stage_gives_a_table(hub: Hub, memory: MemoryStore) -> None:
    memory.append([batch(line("a"), line("b", level="ERROR"), line("c"))])
    assert hub.table("| count by level") == (["level", "count"], [["INFO", 2], ["ERROR", 1]])

    with pytest.raises(ConfigError, match="add a stage"):
        hub.table("a")

    with pytest.raises(ConfigError, match=r"use Hub\.table"):
        list(hub.search("| count"))


def test_a_tail_gives_what_comes_and_tells_of_gaps(hub: Hub, memory: MemoryStore) -> None:
    cursor = hub.tail_cursor()
    memory.append([batch(line("one"), line("two"))])
    assert [event.fields["message"] for event in islice(hub.tail(cursor=cursor), 2)] == ["one", "two"]

    gaps: list[int] = []
    memory.append([batch(*(line(str(number)) for number in range(5000)), first=3)])
    first = next(hub.tail(cursor=cursor, on_gap=gaps.append))
    assert gaps
    assert int(str(first.fields["message"])) + 2 == sum(gaps)


def test_a_tail_waits_for_what_matches(hub: Hub, memory: MemoryStore) -> None:
    cursor = hub.tail_cursor("loud")
    timer = threading.Timer(0.1, lambda: memory.append([batch(line("quiet"), line("loud"))]))
    timer.start()
    assert next(hub.tail("loud", cursor=cursor)).fields["message"] == "loud"
    timer.join()


def test_what_a_hub_refuses_is_told_in_its_words(hub: Hub) -> None:
    with pytest.raises(HubError, match="at character 8: expected") as caught:
        list(hub.search("level>="))

    assert (caught.value.status, caught.value.code, caught.value.position) == (400, "bad_query", 7)

    with pytest.raises(HubError, match="format: expected"):
        list(hub.export({"format": "xml"}))


def test_a_wrong_token_an_absent_hub_and_no_address_are_told(hub: Hub) -> None:
    url = str(hub._client.base_url).removesuffix("/api/v1/")

    with Hub(url, token="another-token") as stranger, pytest.raises(HubError, match="send 'Authorization"):
        list(stranger.search())

    with Hub("http://127.0.0.1:1") as absent, pytest.raises(HubError, match="no answer from the hub at"):
        absent.count()

    with pytest.raises(ConfigError, match="give the address of a hub"):
        Hub("localhost:8514")


def test_an_address_that_is_no_hub_is_told() -> None:
    with Hub("http://127.0.0.1:1") as hub:
        hub._client = httpx.Client(
            base_url="http://127.0.0.1:1", transport=httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
        )

        with pytest.raises(HubError, match="does not answer as a hub does"):
            list(hub.search())
