from pathlib import Path

from loghub.hub.store.partitions import Extent, Part
from loghub.hub.store.retention import Keep, expired


def part(name: str, received_us: int, size: int = 10, max_us: int = 0) -> Part:
    return Part(name, Extent(1, 10, 10, 0, max_us, received_us), lambda: None, Path(name), size)


def names(parts: list[Part], *, now_us: int = 1000, keep_us: int = 10_000, keep_bytes: int = 1000) -> list[str]:
    return [gone.table for gone in expired(parts, now_us=now_us, keep=Keep(keep_us, keep_bytes))]


def test_parts_whose_newest_event_came_too_long_ago_go() -> None:
    assert names([part("old", 100), part("edge", 900), part("new", 950)], keep_us=100) == ["old"]


def test_the_oldest_go_until_the_rest_fits() -> None:
    assert names([part("b", 200), part("c", 300), part("a", 100)], keep_bytes=20) == ["a"]
    assert names([part("b", 200), part("c", 300), part("a", 100)], keep_bytes=19) == ["b", "a"]


def test_what_an_event_says_of_its_time_does_not_count() -> None:
    ahead, behind = part("ahead", 500, max_us=10**15), part("behind", 1500, max_us=-(10**15))

    assert names([ahead, behind], now_us=2000, keep_us=1000) == ["ahead"]


def test_hot_parts_stay() -> None:
    assert names([Part("hot", Extent(1, 0), lambda: None)], keep_us=0, keep_bytes=0) == []
