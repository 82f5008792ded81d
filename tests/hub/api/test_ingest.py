import gzip
import socket
from collections.abc import Sequence

import httpx
import pytest
import zstandard
from served_hub import SOURCE, line, served, wait_until

from loghub.hub.api.app import create_app
from loghub.hub.settings import Settings
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import Appended, Incoming
from loghub.wire.batch import Batch
from loghub.wire.report import digest

PATH = "/api/v1/ingest"


class FullDisk(MemoryStore):
    def append(self, batches: Sequence[Incoming]) -> list[Appended]:
        raise OSError(28, "No space left on device", str(len(batches)))


def test_lines_are_taken_and_found(hub: httpx.Client, memory: MemoryStore) -> None:
    answer = hub.post(PATH, content=line("one") + line("two"), headers={"Content-Type": "application/x-ndjson"})

    assert answer.status_code == 200
    assert answer.json() == {"accepted": 2, "duplicate": 0, "quarantined": []}
    assert [stored.event.fields["message"] for stored in memory.after(0, 10)] == ["one", "two"]


def test_a_batch_that_is_sent_again_has_no_second_effect(hub: httpx.Client, memory: MemoryStore) -> None:
    batch = Batch(SOURCE, 1, (line("one"), line("two")))
    headers = {"Idempotency-Key": batch.key}

    assert hub.post(PATH, content=b"".join(batch.lines), headers=headers).json()["accepted"] == 2
    assert hub.post(PATH, content=b"".join(batch.lines), headers=headers).json()["duplicate"] == 2
    longer = Batch(SOURCE, 2, (line("two"), line("three")))
    answer = hub.post(PATH, content=b"".join(longer.lines), headers={"Idempotency-Key": longer.key})
    assert answer.json() == {"accepted": 1, "duplicate": 1, "quarantined": []}
    assert [stored.id for stored in memory.after(0, 10)] == [f"{SOURCE}-{seq:016x}" for seq in (1, 2, 3)]


def test_a_key_that_does_not_count_the_lines_is_refused(hub: httpx.Client, memory: MemoryStore) -> None:
    answer = hub.post(PATH, content=line("one"), headers={"Idempotency-Key": f"{SOURCE}:1-2"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_key")
    assert "names 2 lines (1-2), the body has 1" in answer.json()["error"]["message"]
    assert memory.count() == 0


def test_a_key_that_is_none_of_ours_is_refused(hub: httpx.Client) -> None:
    answer = hub.post(PATH, content=line("one"), headers={"Idempotency-Key": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_key")


def test_bad_lines_do_not_spoil_the_good_ones(hub: httpx.Client) -> None:
    body = line("one") + b"\nnot json\n[1]\n" + line("x" * 600) + line("two")
    answer = hub.post(PATH, content=body, headers={"Idempotency-Key": f"{SOURCE}:7-11"}).json()

    assert answer["accepted"] == 2
    assert [(bad["line"], bad["id"]) for bad in answer["quarantined"]] == [
        (3, f"{SOURCE}-{8:016x}"),
        (4, f"{SOURCE}-{9:016x}"),
        (5, f"{SOURCE}-{10:016x}"),
    ]
    assert [bad["error"].split(":")[0] for bad in answer["quarantined"]][1:] == [
        "expected a JSON object, found list",
        "671 bytes in one line",
    ]


def test_a_bad_line_without_a_key_has_no_id(hub: httpx.Client) -> None:
    answer = hub.post(PATH, content=b"oops").json()
    assert [(bad["line"], bad["id"]) for bad in answer["quarantined"]] == [(1, None)]


def test_an_empty_body_is_fine(hub: httpx.Client) -> None:
    assert hub.post(PATH, content=b"\n").json() == {"accepted": 0, "duplicate": 0, "quarantined": []}


def test_bodies_without_a_key_are_all_new(hub: httpx.Client, memory: MemoryStore) -> None:
    for _ in range(3):
        assert hub.post(PATH, content=line("same")).json()["accepted"] == 1

    assert len({stored.id for stored in memory.after(0, 10)}) == 3


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=UTF-8", "text/plain", "application/stream+json", "application/x-www-form-urlencoded"],
)
def test_content_types_are_taken_with_their_parameters(hub: httpx.Client, content_type: str) -> None:
    answer = hub.post(PATH, content=b'[{"message":"a"},{"message":"b"}]', headers={"Content-Type": content_type})
    assert answer.json()["accepted"] == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-protobuf"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Encoding": "br"},
    ],
)
def test_what_cannot_be_read_is_refused(hub: httpx.Client, headers: dict[str, str]) -> None:
    answer = hub.post(PATH, content=line("one"), headers=headers)
    assert answer.status_code == 415
    assert "send" in answer.json()["error"]["message"]


def test_gzip_is_read(hub: httpx.Client) -> None:
    body = gzip.compress(line("one")) + gzip.compress(line("two"))
    assert hub.post(PATH, content=body, headers={"Content-Encoding": "gzip"}).json()["accepted"] == 2


def test_zstd_is_read(hub: httpx.Client) -> None:
    body = zstandard.compress(line("one")) + zstandard.compress(line("two"))
    assert hub.post(PATH, content=body, headers={"Content-Encoding": "zstd"}).json()["accepted"] == 2


def test_zstd_bomb_is_refused(hub: httpx.Client) -> None:
    body = zstandard.compress(b" " * 10_000_000)
    assert hub.post(PATH, content=body, headers={"Content-Encoding": "zstd"}).status_code == 413


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gzip.compress(b" " * 4001, mtime=0), 413),
        (gzip.compress(b" " * 10_000_000, mtime=0)[:1900], 413),
        (gzip.compress(line("one"), mtime=0)[:-9], 400),
        (b"no gzip", 400),
    ],
)
def test_gzip_that_is_damaged_or_a_bomb_is_refused(hub: httpx.Client, body: bytes, status: int) -> None:
    assert hub.post(PATH, content=body, headers={"Content-Encoding": "gzip"}).status_code == status


def test_a_body_that_is_too_large_is_refused_however_it_comes(hub: httpx.Client) -> None:
    assert hub.post(PATH, content=b" " * 2001).status_code == 413
    assert hub.post(PATH, content=iter([b" " * 1001] * 2)).status_code == 413
    assert hub.post(PATH, content=b"{}\n" * 51).json()["error"]["code"] == "too_many_lines"


def test_a_full_disk_acknowledges_nothing() -> None:
    app = create_app(FullDisk(), Settings(), ingest=True)

    with served(app) as address:
        answer = httpx.post(f"http://{address}{PATH}", content=line("one"))

    assert answer.status_code == 507
    assert answer.headers["Retry-After"] == "5"
    assert answer.json()["error"] == {"code": "disk", "message": "nothing was stored: No space left on device"}


def test_without_room_senders_are_told_to_wait() -> None:
    app = create_app(MemoryStore(), Settings(), ingest=True)
    app.state.parts.room.take(app.state.parts.settings.limits.waiting)

    with served(app) as address:
        answer = httpx.post(f"http://{address}{PATH}", content=line("one"))

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_room_is_given_back_after_each_request(hub: httpx.Client) -> None:
    for _ in range(10):
        assert hub.post(PATH, content=b" " * 1900).status_code == 200
        assert hub.post(PATH, content=b" " * 2001).status_code == 413


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("place", [0, 5, 40, -9, -1])
def test_a_body_that_was_damaged_on_its_way_is_to_be_sent_again(
    hub: httpx.Client, memory: MemoryStore, *, packed: bool, place: int
) -> None:
    batch = Batch(SOURCE, 1, (line("one"), line("two")))
    headers = {"Idempotency-Key": batch.key, "Loghub-Digest": digest(batch.key, batch.lines)}
    whole = b"".join(batch.lines)

    if packed:
        headers["Content-Encoding"] = "gzip"
        whole = gzip.compress(whole, mtime=0)

    damaged = bytearray(whole)
    damaged[place] ^= 4

    # Some bits of a gzip header mean nothing: there the lines are whole, and taken.
    answer = hub.post(PATH, content=bytes(damaged), headers=headers)

    if answer.status_code != 200:
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "damaged")
        assert memory.count() == 0

    assert hub.post(PATH, content=whole, headers=headers).status_code == 200
    assert [stored.event.fields["message"] for stored in memory.after(0, 10)] == ["one", "two"]


def test_a_key_that_was_damaged_on_its_way_names_no_other_source(hub: httpx.Client, memory: MemoryStore) -> None:
    batch = Batch(SOURCE, 1, (line("one"),))
    headers = {"Idempotency-Key": batch.key.replace("0", "1"), "Loghub-Digest": digest(batch.key, batch.lines)}

    assert hub.post(PATH, content=batch.lines[0], headers=headers).status_code == 503
    assert memory.count() == 0


def test_what_has_no_digest_is_taken_as_it_is(hub: httpx.Client) -> None:
    assert hub.post(PATH, content=line("one"), headers={"Loghub-Digest": "sha-256=:abc=:"}).status_code == 200


def test_a_body_that_breaks_off_is_no_failure_of_the_hub(
    hub: httpx.Client, memory: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection((hub.base_url.host, hub.base_url.port or 0)) as connection:
        head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n"
        connection.sendall(head.encode() + line("one")[:50])

    wait_until(lambda: 'status="400"' in hub.get("/metrics").text)
    assert memory.count() == 0
    assert caplog.records == []
