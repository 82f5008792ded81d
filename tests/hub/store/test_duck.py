"""What the embedded engine does beyond what every engine must do."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from store_batches import EVER, SOURCE, START_US, batch, source

from loghub.errors import StoreError
from loghub.hub.store import hot, recovery
from loghub.hub.store.columns import COLUMNS, to_row
from loghub.hub.store.duck import DAY_US, HOUR_US, DuckStore
from loghub.hub.store.engine import HotTable
from loghub.hub.store.marks import Marks
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Span, StoredEvent
from loghub.hub.store.seal import STEPS, open_part
from loghub.hub.store.summaries import Partial
from loghub.query.parse import parse
from loghub.query.tree import Everything


@contextmanager
def opened(data: Path, **options: object) -> Iterator[DuckStore]:
    store = DuckStore(data, **({"keep_us": 2**60, "clock_us": lambda: START_US} | options))  # type: ignore[arg-type]

    try:
        yield store
    finally:
        store.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60

    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.01)


def sealed(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "parts").glob("*.duckdb"))


def logs(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "wal").iterdir())


def everything(store: DuckStore) -> list[StoredEvent]:
    return list(store.search(Everything(), EVER, now_us=START_US, limit=100_000, order="oldest").events)


def check_exactly_once(store: DuckStore, count: int) -> None:
    assert [stored.seq for stored in everything(store)] == list(range(1, count + 1))
    assert [stored.arrival for stored in store.after(0, count + 1)] == list(range(1, count + 1))
    assert store.count() == store.newest() == count


def test_a_restart_brings_everything_back(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append([batch(1, 5, fields={"amount": 2**70})])
        before, epoch = everything(store), store.epoch

    with opened(tmp_path) as store:
        assert everything(store) == before
        assert store.epoch == epoch
        (answer,) = store.append([batch(4, 4)])
        assert (answer.accepted, answer.duplicate) == (2, 2)
        check_exactly_once(store, 7)


def test_two_stores_have_different_epochs(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as one, opened(tmp_path / "b") as other:
        assert one.epoch != other.epoch


def test_a_second_hub_is_told_what_to_do(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(StoreError, match=r"in use by another hub \(process \d+\): stop that one, or"):
        DuckStore(tmp_path)

    with opened(tmp_path) as store:
        assert store.count() == 0


def test_a_directory_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text('{"format": 99, "epoch": "x"}')

    with pytest.raises(StoreError, match="format 99, this loghub reads 1: upgrade loghub"):
        DuckStore(tmp_path)

    (tmp_path / "meta.json").unlink()

    with opened(tmp_path):
        pass


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        pass

    with pytest.raises(StoreError, match="is closed"):
        store.append([batch()])

    with pytest.raises(StoreError, match="is closed"):
        everything(store)


def test_a_full_part_is_sealed_and_its_log_dropped(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=10) as store:
        store.append([batch(1, 12)])
        store.append([batch(13, 3)])
        wait_until(lambda: logs(tmp_path) == ["0000000000000013.ndjson"])
        assert sealed(tmp_path) == ["0000000000000001-0000000000000012.duckdb"]
        check_exactly_once(store, 15)

    with opened(tmp_path, seal_rows=10) as store:
        check_exactly_once(store, 15)


def test_a_part_of_many_bytes_is_sealed(tmp_path: Path) -> None:
    with opened(tmp_path, seal_bytes=100_000) as store:
        store.append([batch(1, 2, fields={"long": "x" * 60_000})])
        wait_until(lambda: logs(tmp_path) == ["0000000000000003.ndjson"])
        assert sealed(tmp_path) == ["0000000000000001-0000000000000002.duckdb"]
        check_exactly_once(store, 2)


def test_an_old_part_is_sealed(tmp_path: Path) -> None:
    now_us = START_US

    with opened(tmp_path, clock_us=lambda: now_us) as store:
        store.append([batch(1, 3)])
        now_us += HOUR_US
        wait_until(lambda: len(sealed(tmp_path)) == 1)
        check_exactly_once(store, 3)


def test_marks_and_arrival_numbers_outlive_the_rows(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=10, keep_bytes=0) as store:
        store.append([batch(1, 10)])
        wait_until(lambda: store.count() == 0 and not sealed(tmp_path))

    with opened(tmp_path, seal_rows=10) as store:
        (answer,) = store.append([batch(1, 11)])
        assert (answer.accepted, answer.duplicate) == (1, 10)
        assert [stored.arrival for stored in store.after(0, 10)] == [11]


def test_parts_go_by_age(tmp_path: Path) -> None:
    now_us = START_US

    with opened(tmp_path, seal_rows=10, keep_us=DAY_US, clock_us=lambda: now_us) as store:
        store.append([batch(1, 10, received_us=START_US - DAY_US + 10)])
        wait_until(lambda: len(sealed(tmp_path)) == 1)
        store.append([batch(11, 10)])
        wait_until(lambda: len(sealed(tmp_path)) == 2)
        now_us += HOUR_US
        wait_until(lambda: store.count() == 10)
        assert len(sealed(tmp_path)) == 1
        assert [stored.seq for stored in everything(store)] == list(range(11, 21))


def test_events_of_years_ago_stay_as_long_as_those_of_today(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=10, keep_us=DAY_US) as store:
        store.append([batch(1, 10, times=[-2000 * DAY_US] * 10)])
        store.append([batch(11, 10)])
        wait_until(lambda: logs(tmp_path) == ["0000000000000021.ndjson"])
        store._upkeep.retain()
        check_exactly_once(store, 20)


def test_a_reader_keeps_what_retention_removes(tmp_path: Path) -> None:
    now_us = START_US

    with opened(tmp_path, seal_rows=10, keep_us=DAY_US, clock_us=lambda: now_us) as store:
        store.append([batch(1, 10)])
        wait_until(lambda: len(logs(tmp_path)) == 1 and len(sealed(tmp_path)) == 1)

        with store._read() as source:
            now_us += 2 * DAY_US
            wait_until(lambda: store.count() == 0)
            counts = [source.rows(part, f"SELECT count(*) FROM {part.table}", []) for part in source.parts]  # noqa: S608 (ours)
            assert sorted(counts) == [[(0,)], [(10,)]]
            assert sealed(tmp_path) == []


@pytest.mark.parametrize("step", STEPS)
def test_sealing_that_fails_at_a_step_is_done_again(tmp_path: Path, step: str) -> None:
    failures: list[str] = []

    def fail_once(done: str) -> None:
        if done == step and not failures:
            failures.append(step)
            raise OSError(28, "No space left on device")

    with opened(tmp_path, seal_rows=10, on_step=fail_once) as store:
        store.append([batch(1, 10)])
        wait_until(lambda: bool(failures))
        check_exactly_once(store, 10)
        store.append([batch(11, 3)])
        wait_until(lambda: logs(tmp_path) == ["0000000000000011.ndjson"])
        check_exactly_once(store, 13)

    with opened(tmp_path) as store:
        check_exactly_once(store, 13)


def test_lines_too_long_for_the_memory_of_a_search_are_sealed(tmp_path: Path) -> None:
    with opened(tmp_path, memory_limit="64MB") as store:
        for first in range(1, 151, 50):
            store.append([batch(first, 50, fields={"message": f"{first} " + "x" * 200_000})])

        store.seal_all()
        assert sealed(tmp_path) == ["0000000000000001-0000000000000150.duckdb"]
        assert store._engine.execute("SELECT current_setting('memory_limit')").fetchall() == [("61.0 MiB",)]
        assert store.count() == 150


@pytest.mark.parametrize("step", STEPS)
def test_a_close_in_the_middle_of_sealing_loses_and_doubles_nothing(tmp_path: Path, step: str) -> None:
    reached = threading.Event()

    def fail(done: str) -> None:
        if done == step:
            reached.set()
            raise OSError(28, "No space left on device")

    with opened(tmp_path, seal_rows=10, on_step=fail) as store:
        store.append([batch(1, 10), batch(1, 10, sender=source(2))])
        store.append([batch(11, 1)])
        assert reached.wait(60)

    with opened(tmp_path) as store:
        assert store.count() == len(everything(store)) == 21
        assert [stored.arrival for stored in store.after(0, 100)] == list(range(1, 22))
        wait_until(lambda: len(sealed(tmp_path)) == 1 and len(logs(tmp_path)) == 1)
        assert store.count() == len(everything(store)) == 21


def test_a_torn_tail_is_cut_off(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append([batch(1, 3)])

    log = next((tmp_path / "wal").iterdir())
    whole = log.read_bytes()
    log.write_bytes(whole + whole[:-5])

    with opened(tmp_path) as store:
        assert log.read_bytes() == whole
        assert store.damaged == ()
        store.append([batch(4, 2)])
        check_exactly_once(store, 5)


def test_a_spoilt_frame_is_set_aside_and_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path) as store:
        for first in (1, 4, 7):
            store.append([batch(first, 3)])

    log = next((tmp_path / "wal").iterdir())
    log.write_bytes(log.read_bytes().replace(b"event 5", b"event 6"))

    with opened(tmp_path) as store:
        assert [stored.seq for stored in everything(store)] == [1, 2, 3, 7, 8, 9]
        assert store.newest() == 9
        assert b"event 4" in store.damaged[0].read_bytes()
        assert str(store.damaged[0]) in caplog.text


def test_a_sealed_file_that_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=3) as store:
        store.append([batch(1, 3)])
        wait_until(lambda: logs(tmp_path) == ["0000000000000004.ndjson"])

    (tmp_path / "parts" / sealed(tmp_path)[0]).write_bytes(b"not a database" * 1000)
    (tmp_path / "parts" / "0000000000000004-0000000000000009.tmp").write_bytes(b"left over")

    with opened(tmp_path) as store:
        assert len(store.damaged) == 1
        assert list((tmp_path / "parts").iterdir()) == []
        store.append([batch(1, 4)])
        assert [stored.arrival for stored in store.after(0, 10)] == [4]


def spoil_rows(path: Path) -> None:
    """Change a byte in each block that has rows and nothing else."""
    with duckdb.connect(path, read_only=True) as file:
        tables = [name for (name,) in file.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        blocks = {
            name: {block for (block,) in file.execute(f"SELECT block_id FROM pragma_storage_info('{name}')").fetchall()}  # noqa: S608 (our own names)
            for name in tables
        }

    of_rows = blocks.pop("rows").difference({-1}, *blocks.values())
    assert of_rows
    data = bytearray(path.read_bytes())

    for block in of_rows:
        data[12_288 + 262_144 * block + 1000] ^= 0xFF

    path.write_bytes(data)


def without_extras(path: Path) -> None:
    """Make a sealed file one of an older loghub: rows and their extent alone."""
    with duckdb.connect(path) as file:
        tables = [name for (name,) in file.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        columns = ", ".join(f'"{name}"' for name in COLUMNS)
        file.execute(f"CREATE OR REPLACE TABLE rows AS SELECT {columns} FROM rows ORDER BY rowid")  # noqa: S608 (our columns)

        for name in tables:
            if name not in ("rows", "extent"):
                file.execute(f'DROP TABLE "{name}"')


def test_files_of_an_older_loghub_are_read_beside_newer_ones(tmp_path: Path) -> None:
    queries = [
        parse(text) for text in ("number:10001", "number>10000", "number:*", "nothing:1", "service:service-1", "")
    ]

    def ask() -> list[object]:
        with opened(tmp_path) as store:
            found: list[object] = []

            for query in queries:
                page = store.search(query, EVER, now_us=START_US, limit=100)
                facets = store.facets(query, EVER, now_us=START_US, fields=["number", "service"], limit=5)
                names = store.names(query, EVER, now_us=START_US, limit=100)
                histogram = store.histogram(query, Span(START_US, START_US + 10**6), now_us=START_US, buckets=7)
                found += [page.events, facets, names, histogram]

            return found

    older, _ = two_parts(tmp_path)
    before = ask()
    without_extras(older)

    assert ask() == before


def two_parts(data: Path) -> list[Path]:
    """Make a store of two sealed parts of 10 000 events each, and close it."""
    with opened(data, seal_rows=10_000) as store:
        for first in (1, 10_001):
            store.append([batch(first, 10_000, fields={"number": first})])
            wait_until(lambda: len(logs(data)) == 1)

    return [data / "parts" / name for name in sealed(data)]


def test_a_field_that_only_one_of_two_parts_has_is_found_and_counted(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=10) as store:
        store.append([batch(1, 10, fields={"trace_id": "t-1"})])
        wait_until(lambda: len(sealed(tmp_path)) == 1 and len(logs(tmp_path)) == 1)
        store.append([batch(11, 10)])
        wait_until(lambda: len(sealed(tmp_path)) == 2 and len(logs(tmp_path)) == 1)
        found = {
            text: len(store.search(parse(text), EVER, now_us=START_US, limit=100).events)
            for text in ("trace_id:t-1", "trace_id:t-2", "-trace_id:*", "span_id:*")
        }

        assert found == {"trace_id:t-1": 10, "trace_id:t-2": 0, "-trace_id:*": 10, "span_id:*": 0}


def test_a_damaged_block_costs_its_part_and_no_search(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spoilt, whole = two_parts(tmp_path)
    spoil_rows(spoilt)

    with opened(tmp_path) as store:
        page = store.search(Everything(), EVER, now_us=START_US, limit=100_000, order="oldest")
        assert [stored.seq for stored in page.events] == list(range(10_001, 20_001))
        assert page.partial == Partial(f"1 of 3 parts could not be read: {spoilt.name}")
        histogram = store.histogram(parse("event"), Span(START_US, START_US + 10**6), now_us=START_US, buckets=1)
        assert sum(counts[0] for counts in histogram.series.values()) == 10_000
        assert histogram.partial == page.partial
        assert [stored.arrival for stored in store.after(0, 2)] == [10_001, 10_002]
        assert store.damaged == (spoilt,)
        assert caplog.text.count(f"{spoilt} cannot be read") == 1
        assert whole.exists()


def test_a_sealed_file_that_cannot_be_opened_now_stays_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = two_parts(tmp_path)

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "open_part", refuse_once(path))

        with opened(tmp_path) as store:
            assert store.damaged == (path,)
            assert store.newest() == 20_000

    with opened(tmp_path) as store:
        assert store.damaged == ()
        check_exactly_once(store, 20_000)


def refuse_once(path: Path) -> Callable[[duckdb.DuckDBPyConnection, Path], Part]:
    """Open parts as usual, but run out of memory at one of them."""

    def open_other(engine: duckdb.DuckDBPyConnection, other: Path) -> Part:
        if other == path:
            raise duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate data")

        return open_part(engine, other)

    return open_other


def test_events_older_than_the_memory_come_from_the_parts(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=4000) as store:
        for first in range(1, 12_001, 1000):
            store.append([batch(first, 1000)])

        assert [stored.arrival for stored in store.after(0, 20)] == list(range(1, 21))
        assert [stored.arrival for stored in store.after(3990, 20)] == list(range(3991, 4011))
        assert len(store.after(0, 100_000)) == 12_000


def test_a_search_looks_no_further_than_it_must(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=10) as store:
        for first in (1, 11, 21, 31):
            store.append([batch(first, 10)])
            wait_until(lambda: len(logs(tmp_path)) == 1)

        page = store.search(Everything(), EVER, now_us=START_US, limit=5)
        assert (page.partitions, page.skipped, page.scanned, page.total) == (1, 4, 10, 40)


def test_quarantined_lines_are_kept_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append([batch(1, 4, bad=[2, 4])])
        store.append([batch(1, 5, bad=[2, 4])])

    lines = [json.loads(line) for line in (tmp_path / "quarantine.ndjson").read_bytes().splitlines()]
    assert [(line["seq"], line["line"], line["error"], line["text"]) for line in lines] == [
        (2, 2, "not JSON", "no\\xffevent"),
        (4, 4, "not JSON", "no\\xffevent"),
    ]


def test_quarantined_lines_of_a_batch_that_did_not_reach_the_log_are_kept_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append([batch(1, 4, bad=[2, 4])])

    for log in (tmp_path / "wal").iterdir():
        log.write_bytes(b"")

    with (tmp_path / "quarantine.ndjson").open("ab") as file:
        file.write(b'{"source": "torn')

    with opened(tmp_path) as store:
        (answer,) = store.append([batch(1, 6, bad=[2, 4, 6])])
        assert answer.accepted == 3

    lines = (tmp_path / "quarantine.ndjson").read_bytes().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [2, 4, 6]


def test_a_watcher_that_fails_harms_nobody(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("the loop is closed")

    with opened(tmp_path) as store:
        store.watch(fail)
        store.append([batch(1, 3)])
        check_exactly_once(store, 3)


def test_a_start_that_fails_lets_go_of_the_directory(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append([batch(1, 3)])

    (tmp_path / "marks.json").write_text("{")

    with pytest.raises(StoreError, match=r"marks\.json cannot be read"):
        DuckStore(tmp_path)

    (tmp_path / "marks.json").unlink()

    with opened(tmp_path) as store:
        check_exactly_once(store, 3)


def test_a_start_does_not_refuse_for_marks_that_cannot_be_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as store:
        store.append([batch(1, 2, bad=[1, 2])])

    with monkeypatch.context() as patch:
        patch.setattr(Marks, "save", no_room)

        with opened(tmp_path) as store:
            store.append([batch(1, 5, bad=[1, 2])])
            assert [stored.seq for stored in everything(store)] == [3, 4, 5]

    with opened(tmp_path) as store:
        assert [stored.seq for stored in everything(store)] == [3, 4, 5]


def no_room(_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_new_hot_part_that_cannot_begin_harms_no_append(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path, seal_rows=10) as store:
        with monkeypatch.context() as patch:
            patch.setattr(hot, "HotTable", fail_to_make)
            store.append([batch(1, 10)])
            store.append([batch(11, 10)])
            check_exactly_once(store, 20)

        store.append([batch(21, 1)])
        wait_until(lambda: len(sealed(tmp_path)) == len(logs(tmp_path)) == 1)
        check_exactly_once(store, 21)


def fail_to_make(_engine: duckdb.DuckDBPyConnection, _name: str) -> None:
    raise duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate data")


def test_a_log_file_that_cannot_be_made_leaves_no_table(tmp_path: Path) -> None:
    with duckdb.connect() as engine:
        with pytest.raises(FileNotFoundError):
            hot.Hot(engine, tmp_path / "missing", 1)

        hot.Hot(engine, tmp_path, 1).close()


def test_what_the_engine_refuses_for_readers_to_come_is_stored_and_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot, "_READ_SECONDS", 0.0)

    with opened(tmp_path) as store:
        store.append([batch(1, 3)])
        check_exactly_once(store, 3)

        with monkeypatch.context() as patch:
            patch.setattr(HotTable, "add", fail_to_add)
            (answer,) = store.append([batch(4, 3)])
            assert answer.accepted == 3

        check_exactly_once(store, 6)

    with opened(tmp_path) as store:
        check_exactly_once(store, 6)


def fail_to_add(_table: HotTable, _rows: object, _chunks: object = ()) -> None:
    raise duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate data")


def test_a_read_that_comes_to_rows_in_memory_when_they_are_closed_says_so(tmp_path: Path) -> None:
    with duckdb.connect() as engine:
        table = hot.Hot(engine, tmp_path, 1)
        table.append([batch(1, 3)], 1)
        table.close()

        with pytest.raises(StoreError, match="closed"):
            table.part.settle()


def test_rows_in_memory_without_a_key_are_not_looked_at(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append([batch(1, 3, fields={"color": "red"})])
        assert store.search(parse("size:4"), EVER, now_us=START_US, limit=9).partitions == 0
        assert len(store.search(parse("color:red"), EVER, now_us=START_US, limit=9).events) == 3
        assert len(store.search(parse("-size:4"), EVER, now_us=START_US, limit=9).events) == 3

        store.append([batch(4, 1, fields={"size": 4}), batch(5, 1, fields={"box": {"size": 5}})])
        assert [found.seq for found in store.search(parse("size:4"), EVER, now_us=START_US, limit=9).events] == [4]
        assert [found.seq for found in store.search(parse("box.size:5"), EVER, now_us=START_US, limit=9).events] == [5]
        assert store.search(parse("box.width:5"), EVER, now_us=START_US, limit=9).events == []


def test_rows_are_added_all_or_none() -> None:
    with duckdb.connect() as engine:
        table = HotTable(engine, "hot_1")
        good = [to_row(StoredEvent(number, "s", number, 0, batch().events[0])) for number in range(300_000)]

        with pytest.raises(duckdb.Error):
            table.add([*good, ("no row",)])

        assert engine.execute("SELECT count(*) FROM hot_1").fetchone() == (0,)
        table.add(good[:3])
        assert engine.execute("SELECT count(*) FROM hot_1").fetchone() == (3,)
        table.close()


def test_pages_hold_each_row_once_while_others_are_appended(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=50) as store:
        store.append([batch(1, 300)])
        seen: list[int] = []
        start, first = None, 1

        while True:
            page = store.search(Everything(), EVER, now_us=START_US, limit=7, order="newest", start=start)
            seen += [stored.seq for stored in page.events if stored.source == SOURCE]
            start = page.next
            store.append([batch(first, 10, sender=source(2), times=[*range(first, first + 5), *range(900, 905)])])
            first += 10

            if start is None:
                break

        assert seen == list(range(300, 0, -1))
