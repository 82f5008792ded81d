"""`loghub store`, on the data of hubs that are not running."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from served_hub import wait_until
from store_batches import EVER, SOURCE, START_US, batch, source

from loghub.cli.commands import loghub
from loghub.errors import ConfigError, LoghubError, StoreError
from loghub.hub.store.check import check
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.protocol import StoredEvent
from loghub.query.tree import Everything

PASSED_OVER = "were passed over, since it has had them or later ones of their source"


def run(*arguments: object, given: bytes | None = None) -> Result:
    result = CliRunner().invoke(loghub, ["store", *map(str, arguments)], input=given)

    if isinstance(result.exception, LoghubError):
        raise result.exception

    return result


def read(data: Path) -> list[StoredEvent]:
    store = DuckStore(data, keep_us=2**60)

    try:
        page = store.search(Everything(), EVER, now_us=START_US, limit=10_000, order="oldest")
        assert store.damaged == ()
        return list(page.events)
    finally:
        store.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give the data of a hub: two sealed files of ten events each, five events in the log."""
    store = DuckStore(tmp_path / "hub", seal_rows=10, keep_us=2**60, clock_us=lambda: START_US)

    for first in (1, 11):
        store.append(
            [batch(first, 10, fields={"amount": 2**70, "first": first}), batch(first, 1, sender=source(7), bad=[first])]
        )
        wait_until(lambda: store.stats().hot == 0 and len(list((tmp_path / "hub" / "wal").iterdir())) == 1)

    store.append([batch(21, 3), batch(12, 2, sender=source(7), received_us=START_US + 5)])
    store.close()
    return tmp_path / "hub"


def findings(data: Path) -> list[tuple[str, bool]]:
    return [(finding.text, finding.is_damage) for finding in check(data).findings]


def test_a_sound_directory_is_called_sound_and_left_as_it_is(data: Path) -> None:
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    result = run("check", data)

    assert result.exit_code == 0
    assert result.output == "25 events in 2 sealed files and 2 frames of the log\n"
    assert {path: path.read_bytes() for path in data.rglob("*") if path.is_file()} == before | {
        data / "lock": (data / "lock").read_bytes()
    }
    assert json.loads(run("check", data, "--json").output) == {
        "is_sound": True, "events": 25, "parts": 2, "frames": 2, "findings": [],
    }  # fmt: skip


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())

    for position in range(12_288 + 1000, len(content), 4096):
        content[position] ^= 0xFF

    path.write_bytes(content)


def test_a_spoilt_file_is_found_and_set_aside(data: Path) -> None:
    path = min((data / "parts").iterdir())
    spoil(path)
    found = run("check", data)

    assert found.exit_code == 1
    assert f"DAMAGED  {path}: cannot be read, 10 events at most: " in found.output
    repaired = run("repair", data)
    assert (
        repaired.output == f"set aside as {data}/damaged/{path.name}: 10 events at most are lost\n15 events are there\n"
    )
    assert run("check", data).exit_code == 0
    assert len(read(data)) == 15
    assert run("repair", data).output == "Nothing is damaged, 15 events are there\n"


def test_a_spoilt_frame_is_found_and_set_aside(data: Path) -> None:
    (log,) = (data / "wal").iterdir()
    log.write_bytes(log.read_bytes().replace(b"event 22", b"event 99"))

    assert ("bytes from 0 on are no readable frame" in findings(data)[0][0], findings(data)[0][1]) == (True, True)
    assert "set aside as" in run("repair", data).output
    assert len(read(data)) == 22


def test_a_torn_tail_is_no_damage(data: Path) -> None:
    (log,) = (data / "wal").iterdir()
    log.write_bytes(log.read_bytes() + b'{"wal":1,"source":')

    assert findings(data) == [("its last 18 bytes are a torn write that was never acknowledged", False)]
    assert run("check", data).exit_code == 0


def test_what_was_deleted_is_told_as_a_gap(data: Path) -> None:
    assert run("delete", data, "event 11", "--yes").output == "1 events were deleted\n"
    assert run("delete", data, "first:1", "--dry-run").output == "10 events match\n"
    assert run("delete", data, "first:11", "--from", "2026-01-01", "--yes").output == "9 events were deleted\n"
    assert findings(data) == [("arrival numbers 11-20 are in no file: deleted", False)]


def test_a_copy_of_an_old_file_is_found(data: Path) -> None:
    first, second = sorted((data / "parts").iterdir())
    second.rename(second.with_name("0000000000000009-0000000000000020.duckdb"))

    assert findings(data)[0][0].startswith("overlaps with 0000000000000001-0000000000000010.duckdb")
    assert first.exists()


@pytest.mark.parametrize("marks", [None, b"{"])
def test_marks_that_are_gone_are_made_anew(data: Path, marks: bytes | None) -> None:
    if marks is None:
        (data / "marks.json").unlink()
    else:
        (data / "marks.json").write_bytes(marks)

    assert any(is_damage for _, is_damage in findings(data))
    run("repair", data)
    assert not any(is_damage for _, is_damage in findings(data))
    store = DuckStore(data, keep_us=2**60)
    assert [answer.accepted for answer in store.append([batch(11, 14), batch(11, 3, sender=source(7))])] == [1, 0]
    store.close()


def test_stats_tell_of_each_part(data: Path) -> None:
    stats: dict[str, Any] = json.loads(run("stats", data, "--json").output)

    assert (stats["events"], stats["sources"], len(stats["parts"])) == (25, 2, 3)
    assert [part["events"] for part in stats["parts"]] == [10, 10, 5]
    assert [part["file"] for part in stats["parts"]][2] == "(log)"
    assert stats["bytes"] == sum(part["bytes"] for part in stats["parts"]) + stats["log_bytes"]
    assert "25 events of 2 sources in 3 parts" in run("stats", data).output


def test_what_is_exported_comes_back_exactly_once(data: Path, tmp_path: Path) -> None:
    lines = tmp_path / "events.ndjson"
    assert "25 events" in run("export", data, "-o", lines).output
    assert run("import", tmp_path / "new", lines).output == "25 events are stored now\n"
    assert run("import", tmp_path / "new", lines).output == f"0 events are stored now; 25 {PASSED_OVER}\n"

    assert [(event.id, event.arrival, event.received_us, event.event) for event in read(tmp_path / "new")] == [
        (event.id, event.arrival, event.received_us, event.event) for event in read(data)
    ]
    store = DuckStore(tmp_path / "new", keep_us=2**60)
    assert [account.lost for account in store.accounts()] == [0, 0]
    store.close()


def test_an_import_that_broke_off_goes_on(data: Path, tmp_path: Path) -> None:
    lines = run("export", data).stdout_bytes
    half = b"".join(lines.splitlines(keepends=True)[:13])

    assert run("import", tmp_path / "new", given=half).output == "13 events are stored now\n"
    assert run("import", tmp_path / "new", given=lines).output == f"12 events are stored now; 13 {PASSED_OVER}\n"
    assert [event.id for event in read(tmp_path / "new")] == [event.id for event in read(data)]


def test_an_import_says_that_it_passed_over_what_is_older_than_what_is_there(data: Path, tmp_path: Path) -> None:
    lines = run("export", data).stdout_bytes
    newest = lines.splitlines(keepends=True)[-1]  # the second of the two of its source
    assert run("import", tmp_path / "new", given=newest).output == "1 events are stored now\n"
    done = run("import", tmp_path / "new", given=lines)

    assert done.output == f"23 events are stored now; 2 {PASSED_OVER}\n"


def test_an_export_may_be_of_what_matches(data: Path) -> None:
    lines = run("export", data, "-q", "first:11").stdout_bytes.splitlines()

    assert len(lines) == 10
    assert list(json.loads(lines[0]))[:3] == ["_id", "_received", "_cursor"]
    assert json.loads(lines[0])["_id"] == f"{SOURCE}-000000000000000b"


@pytest.mark.parametrize("line", [b'{"message":"hello"}\n', b'{"_id":"x-1","_received":"2026-01-01"}\n', b"text\n"])
def test_a_line_that_was_not_exported_is_refused_with_its_number(line: bytes, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="line 1"):
        run("import", tmp_path / "new", given=line)


INSTEAD = {
    "check": "stop it first; while it runs, .*curl URL/api/v1/stats",
    "repair": "stop it first",
    "stats": "ask it, curl URL/api/v1/stats",
    "export": "ask it, loghub export QUERY URL",
    "delete": "ask it, curl -X DELETE 'URL/api/v1/events",
}


def test_an_import_into_a_directory_in_use_is_refused(data: Path) -> None:
    store = DuckStore(data, keep_us=2**60)

    with pytest.raises(StoreError, match=r"in use by a hub \(process \d+\): stop it first"):
        run("import", data, given=b"")

    store.close()


@pytest.mark.parametrize("asked", INSTEAD)
def test_a_directory_in_use_or_none_at_all_is_refused_with_a_way_out(data: Path, tmp_path: Path, asked: str) -> None:
    arguments = ["", "--yes"] if asked == "delete" else []
    store = DuckStore(data, keep_us=2**60)

    with pytest.raises(StoreError, match=rf"in use by a hub \(process \d+\): {INSTEAD[asked]}"):
        run(asked, data, *arguments)

    store.close()

    with pytest.raises(StoreError, match="is no data directory of a hub"):
        run(asked, tmp_path, *arguments)


def test_a_wrong_time_is_named(data: Path) -> None:
    with pytest.raises(ConfigError, match="loghub store delete: --from='soon': give a time"):
        run("delete", data, "x", "--from", "soon")
