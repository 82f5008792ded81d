import json
import socket

import httpx
import pytest
from served_hub import batch, line, wait_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from loghub.hub.store.memory import MemoryStore


def url(hub: httpx.Client, **parameters: str) -> str:
    return str(hub.base_url.copy_with(scheme="ws", path="/api/v1/tail", params=parameters))


def test_what_comes_in_goes_out(hub: httpx.Client) -> None:
    with connect(url(hub, query="level>=error")) as tail:
        assert json.loads(tail.recv(60))["events"] == []
        hub.post("/api/v1/ingest", content=line("quiet") + line("loud", level="ERROR"))
        assert [event["message"] for event in json.loads(tail.recv(60))["events"]] == ["loud"]


def test_a_bad_query_is_explained_and_the_connection_closed(hub: httpx.Client) -> None:
    with connect(url(hub, query="level>=")) as tail:
        frame = json.loads(tail.recv(60))

        with pytest.raises(ConnectionClosed) as closed:
            tail.recv(60)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400
    assert (frame["type"], frame["error"]["code"], frame["error"]["position"]) == ("error", "bad_query", 7)


def test_what_a_client_says_means_nothing(hub: httpx.Client) -> None:
    with connect(url(hub)) as tail:
        tail.recv(60)
        tail.send("hello")
        tail.send(b"\x00")
        hub.post("/api/v1/ingest", content=line("one"))
        assert [event["message"] for event in json.loads(tail.recv(60))["events"]] == ["one"]


def test_subscribers_are_counted_while_they_are_there(hub: httpx.Client) -> None:
    def subscribers() -> str:
        text = hub.get("/metrics").text
        return next(line for line in text.splitlines() if line.startswith("loghub_hub_subscribers "))

    with connect(url(hub)) as tail:
        tail.recv(60)
        assert subscribers().endswith(" 1.0")

    wait_until(lambda: subscribers().endswith(" 0.0"))


def test_a_client_that_does_not_read_holds_nobody_up_and_is_told_the_gap(
    hub: httpx.Client, memory: MemoryStore
) -> None:
    big = [line("x" * 10_000) for _ in range(50)]
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that the server's writes wait early
    narrow.connect((hub.base_url.host, hub.base_url.port))

    with connect(url(hub)) as quick, connect(url(hub), sock=narrow, max_queue=1, max_size=None) as slow:
        for tail in (quick, slow):
            assert json.loads(tail.recv(60))["events"] == []  # from here on it misses nothing

        seen = 0

        for first in range(1, 3000, 50):
            memory.append([batch(*big, first=first)])

            while seen < first + 49:
                frame = json.loads(quick.recv(60))
                assert frame["type"] != "gap"
                seen += len(frame.get("events", ()))

        told = gaps = 0

        while told < seen:
            frame = json.loads(slow.recv(60))
            gaps += frame["type"] == "gap"
            told += frame.get("count", 0) + len(frame.get("events", ()))

    assert (seen, told) == (3000, 3000)
    assert gaps
