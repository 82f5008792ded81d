"""Deletion by query on a disk: rows go from files, memory and the log, and do not come back."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from served_hub import wait_until
from store_batches import EVER, SOURCE, START_US, batch

from loghub.errors import DeletionError
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.protocol import Span, StoredEvent
from loghub.query.parse import parse
from loghub.query.tree import Everything


@contextmanager
def opened(data: Path, **options: object) -> Iterator[DuckStore]:
    store = DuckStore(data, **({"keep_us": 2**60, "clock_us": lambda: START_US} | options))  # type: ignore[arg-type]

    try:
        yield store
    finally:
        store.close()


def seqs(store: DuckStore) -> list[int]:
    page = store.search(Everything(), EVER, now_us=START_US, limit=100_000, order="oldest")
    return [stored.seq for stored in page.events]


def delete(store: DuckStore, query: str, span: Span = EVER) -> int:
    return store.delete(parse(query), span, now_us=START_US)


def files(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "parts").iterdir())


def is_on_disk(data: Path, text: bytes) -> bool:
    return any(text in path.read_bytes() for path in data.rglob("*") if path.is_file())


def fill(store: DuckStore, data: Path, parts: int = 3) -> None:
    """Store parts of ten events each, and three events more in memory."""
    for part in range(parts):
        store.append([batch(10 * part + 1, 10, fields={"part": part})])
        wait_until(lambda: store.stats().hot == 0 and len(list((data / "wal").iterdir())) == 1)

    store.append([batch(10 * parts + 1, 3, fields={"part": "hot"})])


def test_a_part_in_which_some_events_match_is_written_again(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=10) as store:
        fill(store, tmp_path)
        assert delete(store, 'message:"event 15"') == 1
        assert seqs(store) == [seq for seq in range(1, 34) if seq != 15]
        assert files(tmp_path) == [
            "0000000000000001-0000000000000010.duckdb",
            "0000000000000011-0000000000000020.0001.duckdb",
            "0000000000000021-0000000000000030.duckdb",
        ]

    with opened(tmp_path, seal_rows=10) as store:
        assert seqs(store) == [seq for seq in range(1, 34) if seq != 15]
        assert delete(store, "part:1") == 9
        assert store.count() == 23


def test_a_part_in_which_all_events_match_is_removed(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=10) as store:
        fill(store, tmp_path)
        assert delete(store, "part:1") == 10
        assert seqs(store) == [*range(1, 11), *range(21, 34)]
        assert len(files(tmp_path)) == 2


def test_events_in_memory_go_from_the_log_too(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append([batch(1, 4, fields={"user": "erika"}), batch(5, 2)])
        assert is_on_disk(tmp_path, b"erika")
        assert delete(store, "user:erika") == 4
        assert not is_on_disk(tmp_path, b"erika")
        assert seqs(store) == [5, 6]
        store.append([batch(7, 1)])

    with opened(tmp_path) as store:
        assert seqs(store) == [5, 6, 7]
        assert [stored.arrival for stored in store.after(0, 10)] == [5, 6, 7]


def test_everything_can_go(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=10) as store:
        fill(store, tmp_path)
        assert delete(store, "") == 33
        assert (seqs(store), store.count(), files(tmp_path)) == ([], 0, [])

    with opened(tmp_path, seal_rows=10) as store:
        assert seqs(store) == []
        (answer,) = store.append([batch(30, 5)])
        assert (answer.accepted, answer.duplicate) == (1, 4)
        assert [stored.arrival for stored in store.after(0, 10)] == [34]


def test_where_nothing_in_memory_matches_nothing_is_sealed(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=10) as store:
        fill(store, tmp_path, parts=1)
        assert delete(store, "part:0") == 10
        assert delete(store, "colour:red") == 0
        assert store.stats().hot == 3


def test_what_a_range_of_time_does_not_hold_stays(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=10) as store:
        fill(store, tmp_path)
        assert delete(store, "", Span(START_US + 5, START_US + 25)) == 20
        assert seqs(store) == [*range(1, 5), *range(25, 34)]


def test_a_reader_keeps_what_is_deleted(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=10) as store:
        fill(store, tmp_path)

        with store._read() as source:
            assert delete(store, "service:service-1") == 11
            counts = [source.rows(part, f"SELECT count(*) FROM {part.table}", []) for part in source.parts]  # noqa: S608 (ours)
            assert sorted(counts) == [[(3,)], [(10,)], [(10,)], [(10,)]]

        assert store.count() == 22


def test_tails_do_not_see_what_is_deleted(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append([batch(1, 9)])
        delete(store, "service:service-1")
        assert [stored.seq for stored in store.after(0, 3)] == [2, 3, 5]
        assert [stored.seq for stored in store.after(4, 100)] == [5, 6, 8, 9]


def test_while_it_looks_through_what_is_in_memory_others_append(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[bool] = []

    with opened(tmp_path) as store:
        store.append([batch(1, 9)])
        find = store._recent.find

        def look(is_meant: Callable[[StoredEvent], bool]) -> list[int]:
            found.append(store._writing.locked())
            store.append([batch(10, 3)])  # would wait for ever
            return find(is_meant)

        monkeypatch.setattr(store._recent, "find", look)
        assert delete(store, "service:service-1") == 3
        assert found == [False]
        assert seqs(store) == [2, 3, 5, 6, 8, 9, 10, 11, 12]
        assert [stored.seq for stored in store.after(0, 100)] == [2, 3, 5, 6, 8, 9, 10, 11, 12]


def test_a_deletion_that_fails_says_how_many_are_gone_and_goes_on_when_asked_again(tmp_path: Path) -> None:
    failures: list[str] = []

    def fail_once(step: str) -> None:
        if step == "replacement written" and len(failures) < 1:
            failures.append(step)
            raise OSError(28, "No space left on device")

    with opened(tmp_path, seal_rows=10, on_step=fail_once) as store:
        fill(store, tmp_path)

        with pytest.raises(DeletionError, match="10 events were deleted, then it failed") as caught:
            delete(store, "part:1 OR service:service-1")

        assert caught.value.deleted == 10
        assert delete(store, "part:1 OR service:service-1") == 8
        assert seqs(store) == [seq for seq in range(1, 34) if not 11 <= seq <= 20 and seq % 3 != 1]


def test_while_it_deletes_others_append_search_and_seal(tmp_path: Path) -> None:
    with opened(tmp_path, seal_rows=50) as store:
        store.append([batch(1, 200)])
        done = threading.Event()
        writer = threading.Thread(target=append_until, args=(store, done))
        writer.start()
        deleted = sum(delete(store, f"service:service-{number % 3}") for number in range(6))
        done.set()
        writer.join(60)
        rest = seqs(store)

        assert deleted + len(rest) == store.newest()
        assert len(rest) == len(set(rest)) == store.count()

    with opened(tmp_path, seal_rows=10) as store:
        assert seqs(store) == rest


def append_until(store: DuckStore, done: threading.Event) -> None:
    first = 201

    while not done.is_set() and first < 1500:
        store.append([batch(first, 7)])
        first += 7


def test_a_close_ends_a_deletion_between_two_parts(tmp_path: Path) -> None:
    reached, go_on = threading.Event(), threading.Event()
    ended: list[str] = []

    def wait(step: str) -> None:
        if step == "replacement attached":
            reached.set()
            go_on.wait(200)

    with opened(tmp_path, seal_rows=10, on_step=wait) as store:
        fill(store, tmp_path)
        thread = threading.Thread(target=note_error, args=(lambda: delete(store, "service:service-1"), ended))
        thread.start()
        assert reached.wait(60)
        closer = threading.Thread(target=store.close)
        closer.start()
        wait_until(lambda: store._queries._closed)
        go_on.set()
        thread.join(60)
        closer.join(60)

    assert ended == ["the store is closed"]

    with opened(tmp_path, seal_rows=10) as store:
        assert store.count() == len(seqs(store)) == 29
        assert {stored.source for stored in store.after(0, 100)} == {SOURCE}


def test_what_comes_while_it_deletes_stays(tmp_path: Path) -> None:
    came: list[str] = []

    def bring_more(step: str) -> None:
        if step == "removed" and not came:
            came.append(step)
            store.append([batch(100, 3, fields={"part": "late"})])

    with opened(tmp_path, seal_rows=10, on_step=bring_more) as store:
        fill(store, tmp_path, parts=1)
        assert delete(store, "part:*") == 13
        assert seqs(store) == [100, 101, 102]

    with opened(tmp_path) as store:
        assert seqs(store) == [100, 101, 102]


def test_a_part_whose_log_a_start_could_not_end_is_not_deleted_before_it(tmp_path: Path) -> None:
    def stop(step: str) -> None:
        if step == "marked":
            raise OSError(step)

    with opened(tmp_path, on_step=stop) as store:
        store.append([batch(1, 10)])

        with pytest.raises(OSError, match="marked"):
            store.seal_all()

    in_the_way = tmp_path / "marks.json.tmp"  # marks cannot be saved, as on a full disk
    in_the_way.mkdir()

    with opened(tmp_path) as store:
        assert seqs(store) == list(range(1, 11))

        with pytest.raises(DeletionError):
            delete(store, "")

        store.append([batch(11, 2)])
        in_the_way.rmdir()
        assert delete(store, "") == 12
        assert seqs(store) == []

    with opened(tmp_path) as store:
        assert store.count() == 0
        assert [answer.accepted for answer in store.append([batch(1, 12)])] == [0]


def test_a_file_that_a_start_could_not_remove_brings_nothing_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as store:
        store.append([batch(1, 10)])
        store.seal_all()
        (old,) = (tmp_path / "parts").iterdir()
        content = old.read_bytes()
        assert delete(store, 'message:"event 5"') == 1

    old.write_bytes(content)  # as after a crash before it was removed

    unlink = Path.unlink

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if path == old:
            raise OSError(5, "Input/output error", str(path))

        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        store = DuckStore(tmp_path, keep_us=2**60, clock_us=lambda: START_US)

    assert delete(store, "") == 9
    store.close()

    with opened(tmp_path) as store:
        assert seqs(store) == []


def note_error(call: Callable[[], object], found: list[str]) -> None:
    try:
        call()
    except Exception as error:  # noqa: BLE001 (whatever it is)
        found.append(str(error))
