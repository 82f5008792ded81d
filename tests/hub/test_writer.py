import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest
from served_hub import SOURCE, TIME_US, line

from loghub.hub.ingest import Reading, read_body
from loghub.hub.settings import Limits
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import Appended, Incoming
from loghub.hub.writer import Writer
from loghub.wire.batch import Identity

if TYPE_CHECKING:
    from concurrent.futures import Future


class SlowStore(MemoryStore):
    """A store whose disk can be held up, and can refuse."""

    def __init__(self) -> None:
        super().__init__(10_000)
        self.sizes: list[int] = []
        self.free = threading.Event()
        self.is_in = threading.Event()
        self.is_full = False

    def append(self, batches: Sequence[Incoming]) -> list[Appended]:
        self.is_in.set()
        assert self.free.wait(200)
        self.sizes.append(len(batches))

        if self.is_full:
            raise OSError(28, "full")

        return super().append(batches)


def reading(*lines: bytes) -> Reading:
    return read_body(b"".join(lines), limits=Limits(), now_us=TIME_US)


def held_up(store: SlowStore, writer: Writer, count: int) -> "list[Future[Appended]]":
    """Submit one batch that the disk holds up, and others behind it."""
    futures = [writer.submit(reading(line("0")), Identity(SOURCE, 1, 1))]
    assert store.is_in.wait(60)
    return futures + [writer.submit(reading(line("x")), Identity(SOURCE, seq, seq)) for seq in range(2, count + 1)]


def test_what_waits_while_the_disk_is_busy_goes_together() -> None:
    store = SlowStore()
    writer = Writer(store)
    futures = held_up(store, writer, 20)
    assert not any(future.done() for future in futures)
    store.free.set()

    assert [future.result(60).accepted for future in futures] == [1] * 20
    assert store.sizes == [1, 19]
    writer.close()


def test_when_the_disk_refuses_nobody_is_acknowledged_and_the_next_try_works() -> None:
    store = SlowStore()
    writer = Writer(store)
    store.is_full = True
    futures = held_up(store, writer, 3)
    store.free.set()

    for future in futures:
        with pytest.raises(OSError, match="full"):
            future.result(60)

    store.is_full = False
    assert writer.submit(reading(line("0")), Identity(SOURCE, 1, 1)).result(60) == Appended(1, 0)
    writer.close()


def test_bodies_without_a_name_get_rising_numbers_in_the_order_of_the_store() -> None:
    store = MemoryStore(10_000)
    writer = Writer(store)
    threads = [
        threading.Thread(
            target=lambda: [writer.submit(reading(line("a"), line("b")), None).result(60) for _ in "x" * 50]
        )
        for _ in range(4)
    ]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    stored = store.after(0, 10_000)
    assert [one.seq for one in stored] == list(range(1, 401))
    assert len({one.source for one in stored}) == 1
    writer.close()


def test_a_caller_that_goes_away_does_not_take_its_batch_along() -> None:
    store = SlowStore()
    writer = Writer(store)
    futures = held_up(store, writer, 3)
    assert not futures[1].cancel()
    store.free.set()
    assert futures[2].result(60) == Appended(1, 0)
    assert store.count() == 3
    writer.close()


def test_closing_writes_what_waits() -> None:
    store = SlowStore()
    writer = Writer(store)
    futures = held_up(store, writer, 5)
    store.free.set()
    writer.close()
    writer.close()
    assert all(future.done() for future in futures)
    assert store.count() == 5
