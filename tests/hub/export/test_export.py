import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from served_hub import SOURCE, TIME_US, batch, line, served

from loghub.event.model import format_time
from loghub.hub.api.app import create_app
from loghub.hub.settings import Settings
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import Store

PATH = "/api/v1/export"
COUNT = 50


@pytest.fixture(params=["memory", "duck"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = MemoryStore(1000) if request.param == "memory" else DuckStore(tmp_path, keep_us=2**60, seal_rows=20)
    services = ("shop", "../pay ments", None)

    with closing(store):
        for at in range(COUNT):
            service = services[at % 3]
            fields = {"service": service} if service else {}
            text = line(f"m{at}", at * 300, user={"id": at}, logger="app", **fields)
            store.append([batch(text, first=at + 1)])

        yield store


@pytest.fixture
def client(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    monkeypatch.setattr("loghub.hub.export.walk.PAGE", 7)

    with (
        served(create_app(store, Settings(), ingest=False)) as address,
        httpx.Client(base_url=f"http://{address}") as client,
    ):
        yield client


def export(client: httpx.Client, **parameters: Any) -> bytes:
    answer = client.get(PATH, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.content


def messages(text: bytes) -> list[str]:
    return [json.loads(each)["message"] for each in text.splitlines()]


def test_ndjson_has_the_full_result_oldest_first(client: httpx.Client) -> None:
    text = export(client)
    assert messages(text) == [f"m{at}" for at in range(COUNT)]
    assert json.loads(text.splitlines()[0])["_id"] == f"{SOURCE}-{1:016x}"
    assert messages(export(client, query="user.id>=40 service:shop")) == ["m42", "m45", "m48"]


def test_an_export_goes_on_behind_an_id_or_a_cursor(client: httpx.Client) -> None:
    page = client.get("/api/v1/search", params={"limit": 10, "order": "oldest"}).json()
    expected = [f"m{at}" for at in range(10, COUNT)]

    for cursor in (page["cursor"], page["events"][-1]["_id"]):
        assert messages(export(client, cursor=cursor)) == expected

    assert export(client, cursor=page["cursor"], format="csv").startswith(f"{SOURCE}-{11:016x},".encode())


def test_each_format_and_archive_goes_on_behind_a_cursor(client: httpx.Client, tmp_path: Path) -> None:
    page = client.get("/api/v1/search", params={"limit": 10, "order": "oldest"}).json()
    rest = {"cursor": page["cursor"]}
    expected = [f"m{at}" for at in range(10, COUNT)]

    assert [row[5] for row in csv.reader(io.StringIO(export(client, format="csv", **rest).decode()))] == expected
    lines = export(client, format="text", **rest).decode().splitlines()
    assert [next(word for word in line.split() if word in expected) for line in lines] == expected
    assert messages(gzip.decompress(export(client, archive="gz", **rest))) == expected
    (tmp_path / "x.parquet").write_bytes(export(client, format="parquet", **rest))
    sql = "SELECT message FROM read_parquet(?) ORDER BY timestamp"
    assert [message for (message,) in duckdb.execute(sql, [str(tmp_path / "x.parquet")]).fetchall()] == expected

    with zipfile.ZipFile(io.BytesIO(export(client, archive="zip", **rest))) as archive:
        files = json.loads(archive.read("manifest.json"))["files"]
        found = [message for file in files for message in messages(archive.read(file["name"]))]

    assert sorted(found) == sorted(expected)


def test_what_comes_after_the_beginning_is_not_in_it(client: httpx.Client, store: Store) -> None:
    with client.stream("GET", PATH) as answer:
        pieces = answer.iter_lines()
        first = next(pieces)
        store.append([batch(line("late"), source="f" * 24)])
        rest = list(pieces)

    found = messages("\n".join([first, *rest]).encode())
    assert found[:COUNT] == [f"m{at}" for at in range(COUNT)][: len(found)]
    assert len(found) == COUNT


def test_csv_has_columns_and_the_rest(client: httpx.Client) -> None:
    rows = list(csv.DictReader(io.StringIO(export(client, format="csv").decode())))
    assert len(rows) == COUNT
    assert (rows[3]["message"], rows[3]["service"], rows[2]["service"]) == ("m3", "shop", "")
    assert json.loads(rows[3]["rest"]) == {"user": {"id": 3}}


def test_csv_may_have_chosen_columns(client: httpx.Client) -> None:
    text = export(client, format="csv", query="user.id<2 | fields user.id, message")
    assert text == b"user.id,message\r\n0,m0\r\n1,m1\r\n"


def test_a_formula_is_a_text(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append(
        [batch(*(line(text) for text in ('=HYPERLINK("x")', "+1", "-1", "@a", "\tx", "a=b")), line("n", n=-5))]
    )
    rows = list(csv.reader(io.StringIO(export(hub, format="csv", query="| fields message, n").decode())))
    assert [row[0] for row in rows[1:]] == ['\'=HYPERLINK("x")', "'+1", "'-1", "'@a", "'\tx", "a=b", "n"]
    assert rows[-1][1] == "-5"


def test_keys_that_stand_elsewhere_do_not_change_columns(hub: httpx.Client, memory: MemoryStore) -> None:
    exception = {"type": "KeyError", "message": "x"}
    memory.append(
        [
            batch(
                line("own level", level="NOTICE", levelno=25, n=1),
                line("=marked", stack_info="Stack", truncated=["a"], process=7),
                line("failed", exception=exception, n=2),
                line("only failed", exception=exception),
            )
        ]
    )
    rows = list(csv.DictReader(io.StringIO(export(hub, format="csv").decode())))

    assert [(row["level"], row["levelno"], row["message"], row["process"]) for row in rows] == [
        ("NOTICE", "25", "own level", ""), ("INFO", "", "'=marked", "7"), ("INFO", "", "failed", ""),
        ("INFO", "", "only failed", ""),
    ]  # fmt: skip
    assert [json.loads(row["rest"]) for row in rows] == [
        {"n": 1}, {"stack_info": "Stack", "truncated": ["a"]},
        {"n": 2, "exception": exception}, {"exception": exception},
    ]  # fmt: skip
    texts = export(hub, format="text").decode().splitlines()
    assert [text.split(" ", 1)[1] for text in texts] == [
        "NOTICE own level n=1", 'INFO =marked stack_info=Stack truncated=["a"]', "INFO failed n=2", "INFO only failed",
    ]  # fmt: skip


def test_text_is_for_reading_and_no_event_forges_a_line(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(line("one\ntwo\x1b[2J", service="shop", logger="app", n=1, exc_info="Traceback\n  \x1bBoom"))])
    assert export(hub, format="text").decode().splitlines() == [
        f"{format_time(TIME_US)} INFO shop app one\\ntwo\\x1b[2J n=1",
        "    Traceback",
        "      \\x1bBoom",
    ]


def test_gz_is_the_same_in_less(client: httpx.Client) -> None:
    assert gzip.decompress(export(client, archive="gz")) == export(client)


def test_a_zip_has_a_file_for_each_service_and_hour_and_a_manifest(client: httpx.Client) -> None:
    with zipfile.ZipFile(io.BytesIO(export(client, archive="zip"))) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        found = [message for file in manifest["files"] for message in messages(archive.read(file["name"]))]
        assert set(archive.namelist()) == {*(file["name"] for file in manifest["files"]), "manifest.json"}

    assert sorted(found) == sorted(f"m{at}" for at in range(COUNT))
    assert (manifest["events"], manifest["complete"], manifest["format"]) == (COUNT, True, "ndjson")
    assert {file["service"] for file in manifest["files"]} == {"shop", "../pay ments", None}
    assert len({file["hour"] for file in manifest["files"]}) == 5
    names = [file["name"].split("/") for file in manifest["files"]]
    assert {name[1] for name in names} == {"shop.ndjson", "pay_ments.ndjson", "no-service.ndjson"}


def test_parquet_has_typed_columns(client: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(export(client, format="parquet", query="service:shop"))
    sql = "SELECT timestamp, level, message, attributes FROM read_parquet(?) ORDER BY timestamp"
    rows = duckdb.execute(sql, [str(tmp_path / "x.parquet")]).fetchall()
    assert [row[2] for row in rows] == [f"m{at}" for at in range(0, COUNT, 3)]
    assert rows[1][0].isoformat() == format_time(TIME_US + 900 * 1_000_000)[:19]
    assert json.loads(rows[1][3]) == {"user": {"id": 3}}


def test_nothing_gives_an_empty_file(client: httpx.Client) -> None:
    assert export(client, query="nothing") == b""
    assert export(client, query="nothing", format="csv").count(b"\n") == 1

    with zipfile.ZipFile(io.BytesIO(export(client, query="nothing", archive="zip"))) as archive:
        assert json.loads(archive.read("manifest.json"))["files"] == []


def test_a_file_has_a_name(client: httpx.Client) -> None:
    headers = client.get(PATH, params={"format": "csv", "archive": "gz"}).headers
    assert headers["content-disposition"].startswith('attachment; filename="loghub-2')
    assert headers["content-disposition"].endswith('Z.csv.gz"')
    assert headers["content-type"] == "application/gzip"


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"format": "xml"}, "format: expected ndjson or csv or text or parquet"),
        ({"archive": "rar"}, "archive: expected none or gz or zip"),
        ({"format": "parquet", "archive": "gz"}, "archive: parquet is compressed"),
        ({"format": "parquet", "query": "| fields a"}, "query: parquet has all columns"),
        ({"query": "a | count"}, "query: an export takes no stage but fields"),
        ({"cursor": "x"}, "cursor: give the cursor of a search, or the _id"),
        ({"cursor": f"{SOURCE}-{99999:016x}"}, "cursor: give the cursor"),
    ],
)
def test_a_wrong_parameter_is_named(client: httpx.Client, parameters: dict[str, str], word: str) -> None:
    answer = client.get(PATH, params=parameters)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_parameter")
    assert answer.json()["error"]["message"].startswith(word)
