"""Pages and histograms of large sealed files, of which cells tell the most."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from store_batches import START_US, batch, source

from loghub.hub.store.duck import DuckStore
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import Order, Span, Store
from loghub.query.parse import parse

_EACH = 2_300  # rows of a sender: several cells in all
_SPANS = (Span(0, 2**60), Span(START_US + 1_100, START_US + 29_000), Span(START_US + 31_000, 2**60))
_SIZES = (60, 1_900)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Store]]:
    """Give the same events in memory and sealed: many at one time, from three senders, in two files."""
    batches = [
        batch(1, _EACH, sender=source(sender), times=[(place * 7 + sender) % 311 * 100 for place in range(_EACH)])
        for sender in (3, 1, 2)
    ]
    later = batch(_EACH + 1, 1_500, sender=source(1), times=[30_000 + place // 40 * 100 for place in range(1_500)])
    memory = MemoryStore(maxlen=100_000)
    memory.append([*batches, later])

    with closing(DuckStore(tmp_path_factory.mktemp("store"), keep_us=2**60, keep_bytes=2**60)) as store:
        for each in (batches, [later]):
            store.append(each)
            store.seal_all()

        yield memory, store


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("query", ["", "level:error", "service:service-1"])
def test_pages_of_sealed_files_are_those_of_memory(stores: tuple[Store, Store], order: Order, query: str) -> None:
    for span in _SPANS:
        for limit in _SIZES:
            memory, sealed = (_walk(store, query, span, limit, order) for store in stores)
            assert memory == sealed


def test_an_event_of_a_large_file_is_found_by_its_id(stores: tuple[Store, Store]) -> None:
    memory, sealed = stores

    for seq in (1, 1_500, _EACH):
        found = sealed.find(source(2), seq)
        assert found is not None
        assert found == memory.find(source(2), seq)

    assert sealed.find(source(2), _EACH + 1) is None


@pytest.mark.parametrize("buckets", [1, 2, 5, 11, 40])
def test_a_histogram_of_large_files_counts_each_event(stores: tuple[Store, Store], buckets: int) -> None:
    for span in (Span(START_US - 250, START_US + 40_000), Span(START_US + 3_333, START_US + 29_000)):
        memory, sealed = (store.histogram(parse(""), span, now_us=0, buckets=buckets) for store in stores)
        assert memory == sealed


def _walk(store: Store, query: str, span: Span, limit: int, order: Order) -> list[tuple[int, str, int]]:
    """Give the keys of some pages, one behind the other."""
    keys: list[tuple[int, str, int]] = []
    start = None

    for _ in range(3):
        page = store.search(parse(query), span, now_us=0, limit=limit, order=order, start=start)
        keys += [(stored.event.time_us, stored.source, stored.seq) for stored in page.events]
        start = page.next

        if start is None:
            break

    return keys
