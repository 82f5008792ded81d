from pathlib import Path

import pytest
from served_hub import wait_until
from store_batches import EVER, START_US, batch

from loghub.errors import ConfigError
from loghub.hub.store.duck import DAY_US, HOUR_US, DuckStore
from loghub.hub.store.keep import Free, Rule, read_free, read_rule
from loghub.hub.store.protocol import Span
from loghub.query.parse import parse
from loghub.query.tree import Everything


def test_the_larger_of_bytes_and_percent_stays_free() -> None:
    assert Free(100, 20).of(1000) == 200
    assert Free(300, 20).of(1000) == 300


@pytest.mark.parametrize(
    ("text", "free"), [("2 GB", Free(2 * 10**9)), ("5 %", Free(0, 5)), (" 0.5%", Free(0, 0.5)), ("0", Free())]
)
def test_what_stays_free_is_read_as_people_write_it(text: str, free: Free) -> None:
    assert read_free(text, "loghub serve", "--keep-free") == free


@pytest.mark.parametrize("text", ["much", "100 %", "-1 GB", "5 percent", ""])
def test_a_wrong_size_is_named_with_its_remedy(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_free(text, "loghub serve", "--keep-free")

    assert str(caught.value).startswith(f"loghub serve: --keep-free={text!r}: give bytes of the disk that stay free")


@pytest.mark.parametrize(
    ("query", "age", "message"),
    [
        ("level:(", "1 day", "--keep-query='level:(': give a query that can be read, as level:debug: "),
        ("", "1 day", "--keep-query='': name what is kept for less time"),
        ("level:debug", "0 s", "--keep-query='0 s': use a length of time above zero"),
        ("level:debug", "soon", "--keep-query='soon': "),
    ],
)
def test_a_wrong_rule_is_named_with_its_remedy(query: str, age: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_rule(query, age, "loghub serve", "--keep-query")

    assert message in str(caught.value)


def rule(query: str, age_us: int) -> Rule:
    return Rule(query, parse(query), age_us)


def test_what_a_rule_does_not_keep_goes_when_its_part_is_old_enough(tmp_path: Path) -> None:
    now_us = START_US
    rules = [rule("level:error", DAY_US), rule("service:service-0", 2 * DAY_US)]
    store = DuckStore(tmp_path, seal_rows=6, keep_us=30 * DAY_US, keep_rules=rules, clock_us=lambda: now_us)

    def seqs() -> list[int]:
        found = store.search(Everything(), EVER, now_us=now_us, limit=100, order="oldest").events
        return [stored.seq for stored in found]

    def wait_for(expected: list[int]) -> None:
        store._keeper.wake()
        wait_until(lambda: seqs() == expected)

    store.append([batch(1, 6)])
    wait_until(lambda: store.stats().hot == 0)
    now_us += DAY_US
    store.append([batch(7, 6, received_us=now_us)])
    wait_until(lambda: store.stats().hot == 0)
    assert seqs() == list(range(1, 13))
    now_us += 1
    wait_for([2, 4, 6, *range(7, 13)])
    now_us += DAY_US
    wait_for([2, 4, 8, 10, 12])
    now_us += HOUR_US
    store._upkeep.retain()
    assert store.delete(Everything(), Span(0, 1), now_us=now_us) == 0
    assert store.stats().kept.rules == [("level:error", DAY_US), ("service:service-0", 2 * DAY_US)]
    store.close()

    reopened = DuckStore(tmp_path, keep_us=30 * DAY_US, clock_us=lambda: now_us)
    assert reopened.count() == 5
    reopened.close()


def test_a_disk_with_too_little_room_costs_the_oldest_part(tmp_path: Path) -> None:
    store = DuckStore(tmp_path, seal_rows=3, keep_us=2**60, keep_free=Free(percent=99.999))
    store.append([batch(1, 3)])
    wait_until(lambda: store.count() == 0)
    assert list((tmp_path / "parts").iterdir()) == []
    assert store.stats().kept.free == int(store.stats().room.size * 0.99999)  # type: ignore[union-attr]
    store.close()
