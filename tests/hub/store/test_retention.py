from pathlib import Path

from loghub.hub.store.keep import Free, Keep
from loghub.hub.store.partitions import Extent, Part
from loghub.hub.store.retention import Disk, expired


def part(name: str, received_us: int, size: int = 10, max_us: int = 0) -> Part:
    return Part(name, Extent(1, 10, 10, 0, max_us, received_us), lambda: None, Path(name), size)


DISK = Disk(1000, 500, 0)


def names(
    parts: list[Part],
    *,
    now_us: int = 1000,
    keep_us: int = 10_000,
    keep_bytes: int = 1000,
    free: Free | None = None,
    disk: Disk = DISK,
) -> list[str]:
    keep = Keep(keep_us, keep_bytes, free or Free())
    return [gone.table for gone in expired(parts, disk, now_us=now_us, keep=keep)]


def test_parts_whose_newest_event_came_too_long_ago_go() -> None:
    assert names([part("old", 100), part("edge", 900), part("new", 950)], keep_us=100) == ["old"]


def test_the_oldest_go_until_the_rest_fits() -> None:
    assert names([part("b", 200), part("c", 300), part("a", 100)], keep_bytes=20) == ["a"]
    assert names([part("b", 200), part("c", 300), part("a", 100)], keep_bytes=19) == ["a", "b"]


def test_what_an_event_says_of_its_time_does_not_count() -> None:
    ahead, behind = part("ahead", 500, max_us=10**15), part("behind", 1500, max_us=-(10**15))

    assert names([ahead, behind], now_us=2000, keep_us=1000) == ["ahead"]


def test_the_log_counts_as_bytes_and_does_not_go() -> None:
    assert names([part("b", 200), part("a", 100)], keep_bytes=25, disk=Disk(1000, 500, 10)) == ["a"]
    assert names([part("b", 200), part("a", 100)], keep_bytes=5, disk=Disk(1000, 500, 10)) == ["a", "b"]


def test_the_oldest_go_until_so_much_of_the_disk_is_free() -> None:
    parts = [part("b", 200), part("c", 300), part("a", 100)]

    assert names(parts, free=Free(500)) == []
    assert names(parts, free=Free(501)) == ["a"]
    assert names(parts, free=Free(511)) == ["a", "b"]
    assert names(parts, free=Free(percent=51.5)) == ["a", "b"]
    assert names(parts, free=Free(900)) == ["a", "b", "c"]
