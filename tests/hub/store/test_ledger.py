"""What is known of each source: gaps to the record, the sender's own account, over restarts and crashes."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_batches import SOURCE, START_US, batch, source

from loghub.hub.store.accounts import Account, Gap
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.ledger import Ledger, Sighting
from loghub.hub.store.protocol import Incoming
from loghub.wire.report import Report

BEGAN_US = int(SOURCE[:12], 16) * 1000


def seen(first: int, count: int, report: Report | None = None, **options: str) -> Sighting:
    return Sighting.of(replace(batch(first, count, **options), report=report))  # type: ignore[arg-type]


def only(ledger: Ledger) -> Account:
    (account,) = ledger.accounts()
    return account


def test_numbers_that_are_passed_over_are_a_gap_between_two_events() -> None:
    ledger = Ledger()
    ledger.note(seen(1, 3))
    ledger.note(seen(21, 2))
    ledger.note(seen(23, 1))

    assert only(ledger).gaps == (Gap(4, 20, START_US + 3, START_US + 21),)
    assert only(ledger).gaps[0].count == only(ledger).lost == 17
    assert only(ledger).taken == 6


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=20))
def test_gaps_and_what_was_taken_are_all_numbers_once(steps: list[tuple[int, int]]) -> None:
    ledger, last, expected = Ledger(), 0, []

    for number, (missing, count) in enumerate(steps):
        missing = missing if number else 0  # noqa: PLW2901 (the first batch begins at 1)
        expected += [(last + 1, last + missing)] if missing else []
        ledger.note(seen(last + missing + 1, count))
        last += missing + count

    account = only(ledger)
    assert [(gap.first, gap.last) for gap in account.gaps] == expected
    assert account.taken + account.lost == account.last == last


def test_a_first_batch_behind_the_first_number_is_a_gap_only_where_no_hub_has_what_was_before() -> None:
    """The account that reaches the ledger has this batch among the acknowledged."""
    ledger = Ledger()
    ledger.note(seen(11, 5, Report(sent=15, acked=5, dropped=10)))
    ledger.note(seen(11, 5, Report(sent=15, acked=15, dropped=0), sender=source(2)))
    ledger.note(seen(11, 5, sender=source(3)))

    unknown, elsewhere, lost = ledger.accounts()
    assert lost.gaps == (Gap(1, 10, BEGAN_US, START_US + 11),)
    assert elsewhere.gaps == unknown.gaps == ()


def test_a_sender_speaks_for_itself() -> None:
    ledger = Ledger()
    ledger.note(seen(1, 5, Report(sent=9, acked=5, queued=4, retried=1, dead=0, dropped=0)))
    assert only(ledger).report == Report(sent=9, acked=5, queued=4, retried=1, dead=0, dropped=0)
    assert (only(ledger).service, only(ledger).acked) == ("service-2", 5)


def test_what_another_process_sends_for_a_dead_one_is_added_to_its_account() -> None:
    ledger = Ledger()
    ledger.note(seen(1, 5, Report(sent=9, acked=5, queued=4, retried=1, dead=0, dropped=0)))
    ledger.note(seen(6, 6))
    assert only(ledger).report == Report(sent=11, acked=11, queued=0, retried=1, dead=0, dropped=0)


def test_without_an_account_the_hub_counts_what_it_acknowledged() -> None:
    ledger = Ledger()
    ledger.note(seen(1, 5))
    ledger.note(seen(6, 2))
    assert (only(ledger).report, only(ledger).acked) == (None, 7)


def test_of_too_many_sources_those_seen_longest_ago_are_forgotten() -> None:
    ledger = Ledger(most=2)

    for number, first in ((1, 1), (2, 1), (1, 2), (3, 1)):
        ledger.note(seen(first, 1, sender=source(number)))

    assert [account.source for account in ledger.accounts()] == [source(3), source(1)]


def test_gaps_of_one_source_are_bounded_and_their_sum_is_not() -> None:
    ledger = Ledger()

    for number in range(300):
        ledger.note(seen(1 + 2 * number, 1))

    assert len(only(ledger).gaps) == 100
    assert only(ledger).gaps[-1].last == 598
    assert only(ledger).lost == 299


def test_a_file_that_cannot_be_read_is_begun_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "sources.json").write_text('{"sources": [{"a": 1}]}')
    assert Ledger(tmp_path / "sources.json").accounts() == []
    assert "begins anew" in caplog.text


def told(first: int, count: int, sender: str = SOURCE) -> Incoming:
    report = Report(sent=first + count + 2, acked=count, queued=3, retried=2, dead=0, dropped=first - 1)
    return replace(batch(first, count, sender=sender, bad=[first + 1]), report=report, skew_us=-1500)


@pytest.mark.parametrize("seal_rows", [4, 1_000_000])
def test_accounts_are_the_same_after_restarts(tmp_path: Path, seal_rows: int) -> None:
    """With small parts some of it is read from the file and some from the log, else all from the log."""
    store = DuckStore(tmp_path, seal_rows=seal_rows)

    for number in range(4):
        store.append([told(1 + 10 * number, 5), told(1, 2 + number, source(2))])

    before = store.accounts()
    assert [gap.count for gap in before[1].gaps] == [5, 5, 5]
    store.close()

    for _ in range(2):
        store = DuckStore(tmp_path, seal_rows=seal_rows)
        after = {account.source: account for account in store.accounts()}
        store.close()
        assert after == {account.source: account for account in before}


def test_a_commit_writes_no_more_where_there_are_many_sources(tmp_path: Path) -> None:
    few, many = (DuckStore(tmp_path / name, clock_us=lambda: START_US) for name in ("few", "many"))
    many.append([batch(1, 1, sender=source(number)) for number in range(2_000)])
    grown = []

    for store, folder in ((few, tmp_path / "few"), (many, tmp_path / "many")):
        before = _sizes(folder)
        store.append([batch(1, 3, sender=source(10_000))])
        changed = {name: size - before.get(name, 0) for name, size in _sizes(folder).items()}
        grown.append({name: size for name, size in changed.items() if size})
        store.close()

    assert [list(files) for files in grown] == [["wal/0000000000000001.ndjson"]] * 2
    assert abs(sum(grown[0].values()) - sum(grown[1].values())) < 10  # the digits of an arrival number


def _sizes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.glob("*/*.ndjson")} | {
        path.name: path.stat().st_size for path in folder.glob("*.json")
    }
