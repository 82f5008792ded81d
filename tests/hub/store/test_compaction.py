from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from served_hub import wait_until
from store_batches import EVER, START_US, batch

from loghub.hub.store.compaction import DAY_US, Largest, choose
from loghub.hub.store.duck import HOUR_US, DuckStore
from loghub.hub.store.keep import Keep, Rule
from loghub.hub.store.partitions import Extent, Part
from loghub.query.tree import Everything

LARGEST = Largest(1000, 10_000, 1000)


@contextmanager
def opened(data: Path, **options: object) -> Iterator[DuckStore]:
    store = DuckStore(data, **({"keep_us": 2**60} | options))  # type: ignore[arg-type]

    try:
        yield store
    finally:
        store.close()


def parts(*counts: int, received_us: list[int] | None = None, size: int = 10) -> list[Part]:
    """Make parts that lie side by side."""
    made = []
    first = 1

    for number, count in enumerate(counts):
        received = received_us[number] if received_us else number
        made.append(Part(str(number), Extent(first, first + count - 1, count, 0, 0, received), lambda: None, size=size))
        first += count

    return made


def names(given: list[Part], largest: Largest = LARGEST) -> str:
    return "".join(part.table for part in choose(given, largest, lambda part: part.extent.received_us))


def test_a_few_small_parts_are_merged_together() -> None:
    assert names(parts(5, 5, 5)) == ""
    assert names(parts(5, 5, 5, 5)) == "0123"
    assert names(parts(5, 5, 5, 5, 5)) == "01234"


def test_a_part_that_is_larger_than_the_others_together_is_not_written_again_for_them() -> None:
    assert names(parts(100, 5, 5, 5, 5)) == "1234"
    assert names(parts(5, 5, 5, 5, 100)) == "0123"
    assert names(parts(100, 5, 5, 5)) == ""
    assert names(parts(100, 30, 40, 50)) == "0123"


def test_what_comes_of_it_is_bounded() -> None:
    assert names(parts(300, 300, 300, 300)) == ""
    assert names(parts(300, 200, 200, 300, 200)) == "0123"
    assert names(parts(5, 5, 5, 5, size=3000)) == ""
    assert names(parts(5, 5, 5, 5, 5, received_us=[0, 300, 600, 900, 1200])) == "0123"


def test_parts_that_do_not_lie_side_by_side_are_not_merged() -> None:
    given = parts(5, 5, 5, 5, 5, 5, 5)

    assert names(given[:2] + given[3:]) == "3456"
    assert names(given[:3] + given[4:]) == ""


def test_a_merged_part_lives_for_a_part_of_what_is_kept() -> None:
    assert Largest.by(1, 1, Keep(14 * DAY_US, 1)).span_us == DAY_US
    assert Largest.by(1, 1, Keep(14 * DAY_US, 1, rules=[Rule("x", Everything(), 4 * HOUR_US)])).span_us == HOUR_US


def seal_hourly(store: DuckStore, hours: int, clock: list[int]) -> None:
    for hour in range(hours):
        store.append([batch(3 * hour + 1, 3, received_us=clock[0], times=[clock[0] - START_US] * 3)])
        clock[0] += HOUR_US
        store._keeper.wake()
        wait_until(lambda: store.stats().hot == 0)


def check(store: DuckStore, count: int) -> None:
    page = store.search(Everything(), EVER, now_us=START_US, limit=1000, order="oldest")
    assert [stored.seq for stored in page.events] == list(range(1, count + 1))
    assert [stored.arrival for stored in store.after(0, 1000)] == list(range(1, count + 1))
    assert store.count() == count


def test_a_quiet_hub_has_few_parts(tmp_path: Path) -> None:
    clock = [START_US]

    with opened(tmp_path, clock_us=lambda: clock[0]) as store:
        seal_hourly(store, 10, clock)
        wait_until(lambda: store.stats().parts <= 5)
        check(store, 30)

    with opened(tmp_path, clock_us=lambda: clock[0]) as store:
        check(store, 30)
        assert store.damaged == ()
        assert any(".000" in path.name for path in (tmp_path / "parts").iterdir())


def test_readers_keep_the_parts_that_were_merged(tmp_path: Path) -> None:
    clock = [START_US]

    with opened(tmp_path, clock_us=lambda: clock[0]) as store:
        seal_hourly(store, 3, clock)

        with store._read() as source:
            store.append([batch(10, 3, received_us=clock[0], times=[clock[0] - START_US] * 3)])
            clock[0] += HOUR_US
            store._keeper.wake()
            wait_until(lambda: len(list((tmp_path / "parts").iterdir())) == 1)
            counts = [source.rows(part, f"SELECT count(*) FROM {part.table}", []) for part in source.parts]  # noqa: S608 (ours)
            assert counts == [[(3,)]] * 4

        check(store, 12)


@pytest.mark.parametrize("damaged", [False, True])
def test_after_a_crash_before_the_merged_parts_ended_the_merged_one_counts(tmp_path: Path, damaged: bool) -> None:
    clock = [START_US]
    kept: dict[Path, bytes] = {}

    def keep_files(step: str) -> None:
        if step == "replacement named":
            kept.update((path, path.read_bytes()) for path in (tmp_path / "parts").iterdir())

    with opened(tmp_path, clock_us=lambda: clock[0], on_step=keep_files) as store:
        seal_hourly(store, 4, clock)
        wait_until(lambda: store.stats().parts == 2)

    for path, data in kept.items():
        path.write_bytes(b"no database" * 1000 if damaged and ".0001." in path.name else data)

    with opened(tmp_path, clock_us=lambda: clock[0]) as store:
        check(store, 12)
        assert len(store.damaged) == damaged
        assert len(kept) == 5
        wait_until(lambda: len(list((tmp_path / "parts").iterdir())) == 1)
