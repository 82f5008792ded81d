"""An export: the pieces of a file, made one after the other, so that memory stays small however much there is.

Rules:
1. The events are those that were in the store when it began, oldest first. Each page is a search of its own: nothing is
   held while a slow client reads.
2. A generator gives the pieces; whoever iterates it does so in a thread. When it is closed, temporary files go.
3. A zip has a file for each hour and service, and a manifest at its end, which says what is in it and whether it is
   whole. Hours without events cost nothing.
4. A search that takes too long goes on where it stopped. What could not be read (a damaged part) is said in the
   manifest, and otherwise in the hub's log.
"""

import json
import logging
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from loghub.event.model import format_time
from loghub.hub.export.formats import KINDS, Format
from loghub.hub.store.line import arrival_of, size_of, time_of
from loghub.hub.store.protocol import Place, Row, Span, Store
from loghub.hub.store.summaries import Grouping
from loghub.query.tree import Equals, Pattern, Present, Query, both, negated

Archive: TypeAlias = Literal["none", "gz", "zip"]

PAGE = 4000
"""Events that are read at once, at most: for more than 5000, DuckDB sorts all rows instead of keeping the first."""

_FIRST_PAGE = 100
_PAGE_BYTES = 8 * 2**20
_SAMPLE = 200  # events of a page that are measured

_HOUR_US = 3_600_000_000
_MOST_SERVICES = 10_000
_UNSAFE = re.compile(r"[^\w.-]+")
_GZIP = 31  # zlib's way to say so
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported.

    Attributes:
        store: where from.
        query: what matches.
        span: of which time.
        now_us: the time at which it began.
        newest: arrival number of the newest event at that time.
        format: a key of `KINDS`, or "parquet".
        columns: fields that were asked for; None for whole events.
        archive: how it is packed.
        start: the place behind which it goes on.
        scratch: a folder for temporary files; None for the system's.
    """

    store: Store
    query: Query
    span: Span
    now_us: int
    newest: int
    format: str
    columns: Sequence[str] | None = None
    archive: Archive = "none"
    start: Place | None = None
    scratch: Path | None = None

    def pieces(self) -> Iterator[bytes]:
        """Give the file, piece by piece."""
        if self.format == "parquet":
            from loghub.hub.export.parquet import parquet_pieces  # noqa: PLC0415 (needs the engine)

            return parquet_pieces(self)

        return {"none": _plain, "gz": _gzipped, "zip": _zipped}[self.archive](self)

    def pages(self, found: "Found") -> Iterator[Sequence[Row]]:
        """Give the events page by page, of more of them as long as they are small."""
        place = self.start
        limit = _FIRST_PAGE

        while True:
            page = self.store.rows(self.query, self.span, now_us=self.now_us, limit=limit, start=place)
            place = page.next
            kept = [row for row in page.rows if arrival_of(row) <= self.newest]
            found.note(page.partial.reason if page.partial and place is None else None)
            found.count(kept)
            yield kept

            if place is None or (not kept and place.time_us > self.now_us):
                return  # the end, or only events that came later

            sample = page.rows[:: 1 + len(page.rows) // _SAMPLE]
            mean = sum(map(size_of, sample)) // max(1, len(sample))
            limit = max(1, min(PAGE, limit * 4, _PAGE_BYTES // max(1, mean)))


@dataclass(slots=True)
class Found:
    """What went into a file."""

    events: int = 0
    first_us: int | None = None
    last_us: int | None = None
    missing: str | None = None

    def note(self, missing: str | None) -> None:
        """Remember why events are missing."""
        if missing and not self.missing:
            self.missing = missing
            _logger.warning("an export is not whole: %s", missing)

    def count(self, rows: Sequence[Row]) -> None:
        """Count a page, and remember its first and its last time."""
        self.events += len(rows)

        if rows:
            self.first_us = time_of(rows[0]) if self.first_us is None else self.first_us
            self.last_us = time_of(rows[-1])

    def as_json(self) -> dict[str, Any]:
        """Give it for a manifest."""
        times = {"first": self.first_us, "last": self.last_us}
        known = {key: None if time_us is None else format_time(time_us) for key, time_us in times.items()}
        return {"events": self.events, **known, "missing": self.missing}


def _plain(export: Export) -> Iterator[bytes]:
    writer = KINDS[export.format].make(export.columns)

    if export.start is None:
        yield writer.head()

    yield from _written(export, writer, Found())


def _gzipped(export: Export) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=_GZIP)

    for piece in _plain(export):
        yield packer.compress(piece)

    yield packer.flush()


def _written(export: Export, writer: Format, found: Found) -> Iterator[bytes]:
    for rows in export.pages(found):
        yield writer.page(rows, export.store.epoch)


def _zipped(export: Export) -> Iterator[bytes]:
    sink = _Sink()
    files: list[dict[str, Any]] = []
    kind = KINDS[export.format]
    names: set[str] = set()

    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for hour_us, service, part in _hours(export):
            found = Found()
            name = _name(names, hour_us, service, kind.suffix)
            writer = kind.make(export.columns)

            with archive.open(_entry(name, hour_us), "w", force_zip64=True) as file:
                file.write(writer.head())

                for piece in _written(part, writer, found):
                    file.write(piece)
                    yield sink.take()

            files.append({"name": name, "service": service, "hour": format_time(hour_us), **found.as_json()})

        archive.writestr("manifest.json", _manifest(export, files))
        yield sink.take()

    yield sink.take()


def _hours(export: Export) -> Iterator[tuple[int, str | None, Export]]:
    """Give each hour and service that has events, with its part of the export."""
    start = export.start
    span = export.span

    while True:
        page = export.store.search(export.query, span, now_us=export.now_us, limit=1, order="oldest", start=start)

        if not page.events:
            if page.next is None:
                return

            start = page.next
            continue

        hour_us = page.events[0].event.time_us // _HOUR_US * _HOUR_US
        hour = Span(max(span.start_us, hour_us), min(span.end_us, hour_us + _HOUR_US))
        grouping = Grouping([("service",)], _MOST_SERVICES)
        groups = export.store.groups(export.query, hour, now_us=export.now_us, grouping=grouping).groups

        for service in sorted((group.key[0] for group in groups), key=lambda name: name or ""):
            query = both([export.query, _is_of(service)])
            yield hour_us, service, replace(export, query=query, span=hour, start=start)

        if hour.end_us >= span.end_us:
            return

        span, start = Span(hour.end_us, span.end_us), None


def _is_of(service: str | None) -> Query:
    return negated(Present("service")) if service is None else Equals("service", Pattern((service,)))


def _name(taken: set[str], hour_us: int, service: str | None, suffix: str) -> str:
    """Make a path of an hour and a service that is good on any system, and of no other file."""
    safe = _UNSAFE.sub("_", service or "no-service").strip("._")[:80] or "service"
    hour = format_time(hour_us)[:13]
    name, number = f"{hour}/{safe}.{suffix}", 2

    while name.lower() in taken:
        name, number = f"{hour}/{safe}-{number}.{suffix}", number + 1

    taken.add(name.lower())
    return name


def _entry(name: str, hour_us: int) -> zipfile.ZipInfo:
    text = format_time(hour_us)
    year, month, day = max(1980, min(2107, int(text[:4]))), int(text[5:7]), int(text[8:10])  # what zip knows
    entry = zipfile.ZipInfo(name, (year, month, day, int(text[11:13]), 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _manifest(export: Export, files: list[dict[str, Any]]) -> str:
    whole = {
        "query": str(export.query),
        "exported": format_time(export.now_us),
        "format": export.format,
        "events": sum(file["events"] for file in files),
        "complete": not any(file["missing"] for file in files),
        "files": files,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1)


class _Sink:
    """What a zip is written to: it cannot seek, and gives away what it has."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes, /) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: what is written is taken."""

    def close(self) -> None:
        """Do nothing, as well."""

    def take(self) -> bytes:
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken
