"""The ledger: for each source who it is, what became of its records, and which of them are missing.

Rules:
1. A sender sends in order, so a number that is passed over never comes: it is a gap, exact to the record.
   What lies before the first number that the hub has seen is a gap only where the sender says that no hub has
   acknowledged anything yet; else another hub may have it, and nothing is claimed.
2. Counts are the sender's own (`Report`), as of its last batch, that batch counted as acknowledged. Where a
   sender tells none, `acked` is what this hub has acknowledged and the others are unknown.
3. The ledger can be read off the log's headers from its file on. What is in the file already is known by its last
   number, so reading a part of the log twice changes nothing.
4. It is bounded: of more than `most` sources those that were seen longest ago are forgotten.

A ledger that cannot be read is begun anew: unlike the marks it only tells, nothing is trimmed by it.
"""

import logging
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from loghub.event.model import Event
from loghub.hub.store.accounts import Account, Gap
from loghub.hub.store.durable import replace_file
from loghub.hub.store.protocol import Incoming
from loghub.wire.report import Report

_MOST_GAPS = 100  # of one source; older ones are only counted
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a batch says of its source, what was here already taken off.

    Attributes:
        source: its id.
        first: the first new number; `last`: the last one, less than `first` where nothing is new.
        received_us: when it came.
        oldest: its first event, `newest`: its last one.
        report: the sender's account.
        skew_us: as in `Account`.
    """

    source: str
    first: int
    last: int
    received_us: int
    oldest: Event | None
    newest: Event | None
    report: Report | None
    skew_us: int | None

    @classmethod
    def of(cls, batch: Incoming) -> "Sighting":
        """Look at a trimmed batch."""
        oldest, newest = (batch.events[0], batch.events[-1]) if batch.events else (None, None)
        return cls(
            batch.source, batch.first, batch.last, batch.received_us, oldest, newest, batch.report, batch.skew_us
        )


class Ledger:
    """The accounts, in memory and in their file.

    Args:
        path: the file; without one nothing is kept over a restart.
        most: how many sources.
    """

    def __init__(self, path: Path | None = None, most: int = 5_000) -> None:
        self._path = path
        self._most = most
        self._lock = threading.Lock()
        self._accounts = {} if path is None else _load(path)
        self._changed = False

    def note(self, seen: Sighting) -> None:
        """Take note of a batch that is on the disk."""
        with self._lock:
            before = self._accounts.get(seen.source)

            if before is not None and seen.first <= seen.last <= before.last:
                return  # read off the log, and in the file already

            # Popped and put back, a source that sends stands behind those that are silent.
            self._accounts.pop(seen.source, None)
            self._accounts[seen.source] = _entered(before, seen)
            self._changed = True

            if len(self._accounts) > self._most:
                del self._accounts[next(iter(self._accounts))]

    def accounts(self) -> list[Account]:
        """Give all accounts, those that were seen last first."""
        with self._lock:
            return list(reversed(self._accounts.values()))

    def save(self) -> None:
        """Write the file, where something changed.

        Raises:
            OSError: the disk refused; the file is as it was.
        """
        with self._lock:
            accounts, changed, self._changed = list(self._accounts.values()), self._changed, False

        if changed and self._path is not None:
            try:
                replace_file(self._path, orjson.dumps({"sources": accounts}, option=orjson.OPT_APPEND_NEWLINE))
            except OSError:
                self._changed = True
                raise


def _entered(before: Account | None, seen: Sighting) -> Account:
    if before is None:
        account = Account(seen.source, seen.first - 1, 0, seen.received_us)
        gap = _gap_before_all(seen)
    else:
        account = before
        gap = _gap_between(before, seen)

    if gap is not None:
        account = replace(account, gaps=(*account.gaps, gap)[-_MOST_GAPS:], lost=account.lost + gap.count)

    new = max(seen.last - seen.first + 1, 0)
    account = replace(
        account,
        last=max(account.last, seen.last),
        taken=account.taken + new,
        seen_us=max(account.seen_us, seen.received_us),
        report=seen.report or _carried_on(account.report, new, seen.last),
        skew_us=account.skew_us if seen.skew_us is None else seen.skew_us,
    )
    return account if seen.newest is None else _named(account, seen.newest)


def _gap_before_all(seen: Sighting) -> Gap | None:
    """Give what is missing before the first batch of a source; its id says when it began."""
    if seen.first <= 1 or seen.report is None or seen.report.acked != seen.last - seen.first + 1:
        return None

    began_us = int(seen.source[:12], 16) * 1000
    until_us = _time(seen.oldest, seen.received_us)
    return Gap(1, seen.first - 1, min(began_us, until_us), until_us)


def _gap_between(before: Account, seen: Sighting) -> Gap | None:
    if seen.first <= before.last + 1 or seen.first > seen.last:
        return None

    until_us = _time(seen.oldest, seen.received_us)
    since_us = until_us if before.newest_us is None else before.newest_us
    return Gap(before.last + 1, seen.first - 1, min(since_us, until_us), until_us)


def _carried_on(report: Report | None, new: int, last: int) -> Report | None:
    """Add a batch to the last account of a sender that died: whoever sends what it left does not know its counts."""
    if report is None or report.acked is None or not new:
        return report

    queued = None if report.queued is None else max(report.queued - new, 0)
    sent = None if report.sent is None else max(report.sent, last)
    return replace(report, acked=report.acked + new, queued=queued, sent=sent)


def _time(event: Event | None, otherwise: int) -> int:
    return otherwise if event is None else event.time_us


def _named(account: Account, event: Event) -> Account:
    service, hostname, process = (event.fields.get(name) for name in ("service", "hostname", "process"))
    return replace(
        account,
        service=service if isinstance(service, str) else None,
        hostname=hostname if isinstance(hostname, str) else None,
        process=process if isinstance(process, int) else None,
        newest_us=event.time_us,
    )


def _load(path: Path) -> dict[str, Account]:
    try:
        found = orjson.loads(path.read_bytes())["sources"]
        return {account.source: account for account in map(_account, found)}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        _logger.warning("%s cannot be read (%s): the ledger of sources begins anew", path, error)
        return {}


def _account(fields: dict[str, Any]) -> Account:
    gaps = tuple(Gap(**gap) for gap in fields.pop("gaps"))
    report = fields.pop("report")
    return Account(**fields, gaps=gaps, report=None if report is None else Report(**report))
