"""Watch: lines of files become events of the store, once each, whatever happens to files, disk and hub."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from served_hub import wait_until

import loghub
from loghub.errors import ConfigError, StoreError
from loghub.hub.counters import Counters
from loghub.hub.settings import Settings
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import Appended, Incoming
from loghub.hub.watch import FILE, Watch
from loghub.hub.writer import Writer

from log_sets import line, lines, write
from processes import open_files


class Store(MemoryStore):
    """A store that keeps what was quarantined, and whose disk may refuse."""

    def __init__(self) -> None:
        super().__init__(10_000)
        self.quarantined: list[tuple[bytes, str]] = []
        self.refusals = 0

    def append(self, batches: Sequence[Incoming]) -> list[Appended]:
        if self.refusals:
            self.refusals -= 1
            raise OSError(28, "No space left on device")

        self.quarantined += [(line.text, line.error) for batch in batches for line in batch.quarantined]
        return super().append(batches)

    def fields(self, name: str = "n") -> list[object]:
        return [stored.event.fields.get(name) for stored in self.after(0, 10_000)]


@contextmanager
def watching(store: Store, folder: Path, *patterns: str, told: list[str] | None = None) -> Iterator[Watch]:
    writer = Writer(store)
    patterns = patterns or ("logs/*.jsonl",)
    settings = Settings(data=folder / "data", watch=tuple(str(folder / pattern) for pattern in patterns))
    settings.data.mkdir(exist_ok=True)
    watch = Watch(settings, writer, Counters(), None if told is None else told.append)
    watch.start()

    try:
        yield watch
    finally:
        watch.close()
        writer.close()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "logs" / "app.jsonl", lines(range(3)))


def has(store: Store, number: int) -> Callable[[], bool]:
    return lambda: store.count() >= number


def test_whole_set_and_what_comes_is_stored(tmp_path: Path, log: Path, store: Store) -> None:
    write(log.with_name("app-20261122T120001-0001.jsonl.gz"), lines(range(10, 12)))

    with watching(store, tmp_path):
        wait_until(has(store, 5))
        log.rename(log.with_name("app-20261122T120002-0001.jsonl"))
        write(log, line(3))
        wait_until(has(store, 6))
        write(log.with_name("web.jsonl"), line(4))
        wait_until(has(store, 7))

    assert store.fields() == [10, 11, 0, 1, 2, 3, 4]


def test_restart_goes_on_where_it_ended_whatever_was_rotated_meanwhile(tmp_path: Path, log: Path, store: Store) -> None:
    with watching(store, tmp_path):
        wait_until(has(store, 3))

    with log.open("ab") as file:
        file.write(line(3))

    log.rename(log.with_name("app.jsonl.1"))
    write(log, line(4))
    accepted = store.count()

    with watching(store, tmp_path):
        wait_until(has(store, accepted + 2))

    assert store.fields() == [0, 1, 2, 3, 4]


def test_position_that_was_not_kept_costs_a_repeated_read_and_nothing_else(
    tmp_path: Path, log: Path, store: Store
) -> None:
    with watching(store, tmp_path):
        wait_until(has(store, 3))
        kept = (tmp_path / "data" / FILE).read_bytes()  # as it was before the first line was stored

        with log.open("ab") as file:
            file.write(line(3))

        wait_until(has(store, 4))

    (tmp_path / "data" / FILE).write_bytes(kept)

    with watching(store, tmp_path):
        with log.open("ab") as file:
            file.write(line(4))

        wait_until(has(store, 5))

    assert store.fields() == [0, 1, 2, 3, 4]


def test_id_of_a_file_is_on_the_disk_before_its_first_line_is_stored(tmp_path: Path, log: Path, store: Store) -> None:
    del log
    path = tmp_path / "data" / FILE
    seen: list[bool] = []
    store.watch(lambda: seen.append(path.exists()))

    with watching(store, tmp_path):
        wait_until(has(store, 3))

    assert seen[0] is True


def test_lines_wait_in_their_file_while_the_disk_refuses(
    tmp_path: Path, log: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    del log
    monkeypatch.setattr("loghub.hub.watch._AGAIN_SECONDS", 0.05)
    store.refusals = 3
    told: list[str] = []

    with watching(store, tmp_path, told=told):
        wait_until(has(store, 3))

    assert store.fields() == [0, 1, 2]
    assert told == ["the disk: refuses (No space left on device); watched lines wait in their files"]


def test_end_while_the_disk_refuses_does_not_pass_the_lines_over(tmp_path: Path, log: Path, store: Store) -> None:
    del log
    store.refusals = 1_000_000

    with watching(store, tmp_path):
        wait_until(lambda: store.refusals < 1_000_000)

    store.refusals = 0

    with watching(store, tmp_path):
        wait_until(has(store, 3))

    assert store.fields() == [0, 1, 2]


def test_plain_text_becomes_messages_and_torn_json_is_quarantined(tmp_path: Path, log: Path, store: Store) -> None:
    log.write_bytes(b"starting up\n\n" + line(0) + b'{"n": 1, "mess\n' + line(2))

    with watching(store, tmp_path):
        wait_until(has(store, 3))

    first = next(iter(store.after(0, 1))).event.fields
    assert (first["message"], first["level"], first["log_file"]) == ("starting up", "INFO", str(log))
    assert store.fields() == [None, 0, 2]
    assert [text for text, _ in store.quarantined] == [b'{"n": 1, "mess']


def test_presets_are_read(tmp_path: Path, store: Store) -> None:
    handler = loghub.JSONFileHandler(tmp_path / "logs" / "app.jsonl")
    handler.setFormatter(loghub.ECSFormatter())
    handler.handle(logging.LogRecord("shop", logging.ERROR, "x.py", 1, "lost", None, None))
    handler.close()

    with watching(store, tmp_path):
        wait_until(has(store, 1))

    assert (store.fields("logger"), store.fields("level")) == (["shop"], ["ERROR"])


def test_own_data_directory_is_never_read(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "app.jsonl", line(0))
    write(tmp_path / "data" / "wal.jsonl", line(1))

    with watching(store, tmp_path, "**/*.jsonl"):
        wait_until(has(store, 1))
        write(tmp_path / "logs.jsonl", line(2))
        wait_until(has(store, 2))

    assert store.fields() == [0, 2]


def test_positions_that_cannot_be_read_are_an_error(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "data" / FILE, b'{"format": 9, "logs": {}}')

    with pytest.raises(StoreError, match="format 9, this loghub reads 1"), watching(store, tmp_path):
        pass


def test_file_that_cannot_be_read_is_told(tmp_path: Path, store: Store) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "app.jsonl").symlink_to("/proc/self/mem")
    told: list[str] = []

    with watching(store, tmp_path, told=told):
        wait_until(lambda: told)

    assert told[0].startswith(f"{tmp_path}/logs/app.jsonl: ")


def test_empty_pattern_is_refused() -> None:
    with pytest.raises(ConfigError, match="give a pattern of files"):
        Settings(watch=("",))


def test_descriptors_are_let_go(tmp_path: Path, log: Path, store: Store) -> None:
    with watching(store, tmp_path):
        wait_until(has(store, 3))
        assert str(log) in open_files(tmp_path)

    assert not open_files(tmp_path)
