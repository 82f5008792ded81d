"""Taking all events out of a store, and into another one: NDJSON, each line an event as the API gives it.

Rules:
1. Lines are in order of arrival. `_id` and `_received` go along; `_cursor` is of the old store, and is dropped.
2. What a store has of a source already is passed over, by its mark: so doing it again, or going on after it
   broke off, has no second effect. A store that has later events of a source takes no earlier ones.
3. Arrival numbers are given anew, in the same order.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loghub.errors import StoreError
from loghub.event.encode import decode, encode
from loghub.event.model import Event, JSONValue
from loghub.hub.answers import event_json
from loghub.hub.store.protocol import Incoming, Store
from loghub.query.predicate import Predicate
from loghub.query.times import parse_moment
from loghub.wire.batch import parse_key

_AT_ONCE = 2000
_PATIENCE_S = 120.0
_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of lines: events taken, and events passed over, since the store has had them or later ones."""

    accepted: int
    duplicate: int


def export_lines(store: Store, matches: Predicate) -> Iterator[bytes]:
    """Give the events that match, in order of arrival, as lines."""
    arrival = 0

    while events := store.after(arrival, _AT_ONCE):
        arrival = events[-1].arrival
        yield from (event_json(stored, store.epoch) + b"\n" for stored in events if matches(stored.event))


def import_lines(store: Store, lines: Iterable[bytes]) -> Imported:
    """Store the events of lines that were exported.

    Raises:
        StoreError: a line has no id; those before it are stored.
        OSError: the disk refused; likewise.
    """
    accepted = duplicate = 0

    for batches in _groups(lines):
        for answer in _append(store, batches):
            accepted += answer.accepted
            duplicate += answer.duplicate

    return Imported(accepted, duplicate)


@dataclass(frozen=True, slots=True)
class _Line:
    source: str
    seq: int
    received_us: int
    text: bytes
    event: Event


def _groups(lines: Iterable[bytes]) -> Iterator[list[Incoming]]:
    """Read lines into batches: one for each run of a source that came at one time."""
    group: list[Incoming] = []
    run: list[_Line] = []
    last: dict[str, int] = {}
    waiting = 0

    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue

        line = _read(number, text)

        if run and ((line.source, line.received_us) != (run[0].source, run[0].received_us) or line.seq <= run[-1].seq):
            group.append(_batch(run, last))
            run = []

            if waiting >= _AT_ONCE:
                yield group
                group, waiting = [], 0

        run.append(line)
        waiting += 1

        if len(run) >= _AT_ONCE:
            yield [*group, _batch(run, last)]
            group, run, waiting = [], [], 0

    if run:
        group.append(_batch(run, last))

    if group:
        yield group


def _read(number: int, text: bytes) -> _Line:
    try:
        fields = decode(text)
        found = parse_key("{0}:{1}-{1}".format(*_parts(fields.pop("_id"))))
        received_us = parse_moment(str(fields.pop("_received")), 0)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"line {number} is no event of an export, with _id and _received ({error}): other lines go to a hub by"
            " loghub ship"
        ) from None

    if found is None:
        raise StoreError(f"line {number} has an _id that is none: give lines as loghub store export wrote them")

    fields.pop("_cursor", None)
    return _Line(found.source, found.first, received_us, encode(fields), Event.from_mapping(fields, now_us=received_us))


def _parts(name: JSONValue) -> tuple[str, int]:
    source, _, seq = str(name).partition("-")
    return source, int(seq, 16)


def _batch(run: list[_Line], last: dict[str, int]) -> Incoming:
    """Make a batch; numbers that are missing before it were deleted or quarantined, and are not claimed to be lost."""
    source = run[0].source
    first = last.get(source, run[0].seq - 1) + 1
    last[source] = run[-1].seq

    return Incoming(
        source=source,
        first=min(first, run[0].seq),
        last=run[-1].seq,
        received_us=run[0].received_us,
        seqs=[line.seq for line in run],
        lines=[line.text for line in run],
        events=[line.event for line in run],
    )


def _append(store: Store, batches: list[Incoming]) -> Iterator["Imported"]:
    """Append, once sealing has caught up where it lags."""
    deadline = time.monotonic() + _PATIENCE_S

    while True:
        try:
            return (Imported(answer.accepted, answer.duplicate) for answer in store.append(batches))
        except OSError:
            if time.monotonic() > deadline:
                raise

            time.sleep(_PAUSE_S)
