from loghub.hub.store.partitions import Extent, Part, Parts
from loghub.hub.store.protocol import Span


def part(disposed: list[str], name: str) -> Part:
    return Part(name, Extent(1, 1, 1, 5, 9, 9), lambda: disposed.append(name))


def test_a_part_that_nobody_reads_is_disposed_of_at_once() -> None:
    disposed: list[str] = []
    parts, old = Parts(), part(disposed, "old")
    parts.change(add=[old])
    parts.change(remove=[old])

    assert disposed == ["old"]
    assert parts.current == ()


def test_a_part_is_disposed_of_when_its_last_reader_lets_go() -> None:
    disposed: list[str] = []
    parts, old, new = Parts(), part(disposed, "old"), part(disposed, "new")
    parts.change(add=[old])

    with parts.hold() as outer:
        with parts.hold() as inner:
            parts.change(add=[new], remove=[old])
            assert outer == inner == (old,)
            assert parts.current == (new,)

        assert disposed == []
        assert not parts.wait_unread(0)

    assert disposed == ["old"]
    assert parts.wait_unread(0)


def test_an_extent_overlaps_spans_that_hold_one_of_its_times() -> None:
    extent = Extent(1, 3, 3, 5, 9)

    assert [extent.overlaps(Span(start, end)) for start, end in [(0, 5), (0, 6), (9, 20), (10, 20)]] == [
        False,
        True,
        True,
        False,
    ]
    assert not Extent(1, 0).overlaps(Span(-(2**63), 2**63 - 1))
