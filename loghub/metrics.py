"""Counting records: `MetricsFilter`, and the text that Prometheus reads.

Rules:
1. A record is counted once for each counter, though the filter hangs on several handlers, and though several
   filters have the same name and tags: the first one leaves a mark on the record.
2. No count is lost between threads, nor to a signal handler or `__del__` that logs while another is counted:
   a record's labels go into a deque, and one caller at a time adds up what is there.
3. Series are bounded: beyond `max_series` the logger and the tags are "other".
4. Counts belong to the process, not to a configuration. A forked child starts at zero.
5. Beside each count stands a rate: records a minute over the last minute (or another `window`), which slides on in
   sixtieths of its length. The metric "x_total" has its rates as "x_per_minute".
6. Whatever a record holds, the filter does not raise and the text can be written.

This module needs no other package until `text()` is called, which needs prometheus-client.
"""

import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count as serial
from typing import Any, Literal

from loghub.errors import ConfigError, require
from loghub.event.context import current
from loghub.event.encode import fallbacks, safe_text
from loghub.options import count, duration, environment_tags, names_unknown_options

OTHER = "other"

_OWNER = "MetricsFilter"
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_OWN_LABELS = ("level", "logger")
_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
_LONGEST = 120
_FOLD_AT = 256
_SLOTS = 60
_MINUTE = 60.0

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: values by the values of its labels.

    Attributes:
        name: as Prometheus has it; that of a counter ends in "_total".
        help: one sentence.
        kind: what it is.
        labels: names of the labels.
        samples: a number for each combination of their values.
    """

    name: str
    help: str
    kind: Literal["counter", "gauge"]
    labels: Labels
    samples: Mapping[Labels, float]


class MetricsFilter(logging.Filter):
    """Count records by level, logger and chosen tags; it lets every record through.

    ```yaml
    filters:
      metrics: {(): loghub.MetricsFilter, tags: [service, component]}
    ```
    It belongs on handlers: a filter on a logger does not see the records of loggers below it.

    Args:
        tags: further labels. A tag's value is that of `static`, else of the record's extra, else what is
            bound to the context, else (service, env, version, hostname) the environment's, else "".
        name: of the metric.
        static: tags whose value is always the same.
        max_series: combinations of labels, at most.
        window: of the rates, in seconds or as "5 minutes".
        clock: gives seconds.

    Attributes:
        lost: records that could not be counted.

    Raises:
        ConfigError: an option is wrong, or another filter counts under this name with other tags.
    """

    @names_unknown_options
    def __init__(
        self,
        tags: Sequence[str] = (),
        name: str = "log_records_total",
        *,
        static: Mapping[str, object] | None = None,
        max_series: int = 1000,
        window: float | str = _MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._tags = _tag_names(tags)
        self._static = _static_tags(static)
        self.lost = 0
        self._environment = environment_tags()
        most, length = count(max_series, _OWNER, "max_series"), _window(window)
        self._counter = _counter(_metric_name(name), self._tags)
        self._counter.max_series = most
        self._counter.measure(length, clock)

    def filter(self, record: logging.LogRecord) -> bool:
        """Count a record unless it is counted already; never raises."""
        try:
            self._count(record)
        except Exception:  # noqa: BLE001 (a filter runs inside of the application's call)
            self.lost += 1

        return True

    def _count(self, record: logging.LogRecord) -> None:
        serial_number = next(_marks)

        # setdefault is atomic: of two threads that handle a record at once, one finds its own mark.
        if record.__dict__.setdefault(self._counter.mark, serial_number) == serial_number:
            self._counter.add((_text(record.levelname), _text(record.name), *self._values(record)))

    def _values(self, record: logging.LogRecord) -> Iterator[str]:
        if not self._tags:
            return

        places: tuple[Mapping[str, Any], ...] = (self._static, record.__dict__, current(), self._environment)

        for tag in self._tags:
            yield next((_text(place[tag]) for place in places if tag in place), "")


def text() -> str:
    """Give all metrics of this process as Prometheus text.

    Raises:
        MissingExtraError: prometheus-client is not installed.
    """
    prometheus = require("prometheus_client", "loghub.metrics.text()", "live")
    registry = prometheus.CollectorRegistry(auto_describe=False)
    registry.register(_Collector())
    written: bytes = prometheus.generate_latest(registry)
    return written.decode()


def snapshot() -> tuple[Family, ...]:
    """Give all metrics of this process as data, those of `register` included."""
    own = [family for counter in tuple(_counters.values()) for family in counter.families()]
    return tuple(own) + tuple(family for source in tuple(_sources) for family in source())


def register(source: Callable[[], Iterable[Family]]) -> None:
    """Add a source of metrics; it is asked each time that metrics are read."""
    if source not in _sources:
        _sources.append(source)


def reset() -> None:
    """Set the counts of all filters to zero."""
    for counter in tuple(_counters.values()):
        counter.clear()


class _Counter:
    """Counts and rates by labels, for any number of threads."""

    def __init__(self, name: str, tags: Labels) -> None:
        self.name = name
        self.tags = tags
        self.mark = f"_loghub_counted_{name}"
        self.max_series = 1
        self._window = _MINUTE
        self._clock: Callable[[], float] = time.monotonic
        self.clear()

    def clear(self) -> None:
        self._seen: deque[tuple[Labels, float]] = deque()
        self._sums: dict[Labels, int] = {}
        self._recent: dict[Labels, _Recent] = {}
        self._lock = threading.RLock()
        self._folding = False

    def measure(self, window: float, clock: Callable[[], float]) -> None:
        """Set how rates are measured; where that changes, they begin anew."""
        if (window, clock) != (self._window, self._clock):
            self._window, self._clock, self._recent = window, clock, {}

    def add(self, labels: Labels) -> None:
        self._seen.append((labels, self._clock()))

        # Who finds the lock taken leaves the adding up to the one who has it, or to the next.
        if len(self._seen) >= _FOLD_AT and self._lock.acquire(blocking=False):
            try:
                self._fold()
            finally:
                self._lock.release()

    def families(self) -> tuple[Family, Family]:
        """Give the counts, and the rates of the same series."""
        with self._lock:
            self._fold()
            sums = dict(self._sums)
            slot = self._slot(self._clock())
            counts = {labels: recent.sum_since(slot - _SLOTS) for labels, recent in tuple(self._recent.items())}

        per_minute = _MINUTE / self._window
        rates = {labels: counts.get(labels, 0) * per_minute for labels in sums}
        labels = (*_OWN_LABELS, *self.tags)
        return (
            Family(self.name, "Records logged.", "counter", labels, sums),
            Family(_rate_name(self.name), "Records logged per minute.", "gauge", labels, rates),
        )

    def _fold(self) -> None:
        if self._folding:  # a nested call: a signal handler or __del__ inside
            return

        self._folding = True

        try:
            while self._seen:
                seen, at = self._seen.popleft()
                labels = self._bounded(seen)
                self._sums[labels] = self._sums.get(labels, 0) + 1
                self._recent.setdefault(labels, _Recent()).add(self._slot(at))
        finally:
            self._folding = False

    def _slot(self, at: float) -> int:
        return int(at / self._window * _SLOTS)

    def _bounded(self, labels: Labels) -> Labels:
        if labels in self._sums or len(self._sums) < self.max_series:
            return labels

        return (labels[0] if labels[0] in _LEVELS else OTHER, *(OTHER for _ in labels[1:]))


class _Recent:
    """How many records came in each of the last slots of time."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, slot: int) -> None:
        if slot not in self._counts:
            self._forget(slot - _SLOTS)

        self._counts[slot] = self._counts.get(slot, 0) + 1

    def sum_since(self, slot: int) -> int:
        """Count the records after a slot."""
        self._forget(slot)
        return sum(self._counts.values())

    def _forget(self, slot: int) -> None:
        for old in [each for each in self._counts if each <= slot]:
            del self._counts[old]


class _Collector:
    """Gives the families to prometheus-client, those of the same name as one."""

    def collect(self) -> Iterator[Any]:
        core = require("prometheus_client.core", "loghub.metrics.text()", "live")
        kinds = {"counter": core.CounterMetricFamily, "gauge": core.GaugeMetricFamily}
        made: dict[str, Any] = {}

        for family in snapshot():
            if family.name not in made:
                made[family.name] = kinds[family.kind](family.name, family.help, labels=family.labels)

            for labels, value in family.samples.items():
                made[family.name].add_metric([safe_text(label) for label in labels], value)

        yield from made.values()


_marks = serial(1)
_counters: dict[str, _Counter] = {}


def _encoding() -> Iterable[Family]:
    samples: dict[tuple[str, ...], float] = {(): fallbacks()}
    yield Family("loghub_encode_fallbacks_total", "Lines with a value that was changed.", "counter", (), samples)


_sources: list[Callable[[], Iterable[Family]]] = [_encoding]


def _counter(name: str, tags: Labels) -> _Counter:
    counter = _counters.setdefault(name, _Counter(name, tags))

    if counter.tags != tags:
        remedy = f"it already counts by the tags {list(counter.tags)}, not {list(tags)}; choose another name"
        raise ConfigError(_OWNER, "name", name, remedy)

    return counter


def _rate_name(name: str) -> str:
    return name.removesuffix("_total") + "_per_minute"


def _window(value: object) -> float:
    seconds = duration(value, _OWNER, "window")

    if seconds <= 0:
        raise ConfigError(_OWNER, "window", value, 'give more than no time, as "1 minute"')

    return seconds


def _tag_names(tags: Sequence[str]) -> Labels:
    if isinstance(tags, str) or not isinstance(tags, Sequence):
        raise ConfigError(_OWNER, "tags", tags, "give a list of names, as [service]")

    # Item by item: a configuration's ext:// and cfg:// values are resolved by [] only.
    names = tuple(str(tags[index]) for index in range(len(tags)))

    for tag in names:
        if not _LABEL.fullmatch(tag) or tag in _OWN_LABELS:
            remedy = "a tag is letters, digits and _, begins with a letter, and is neither level nor logger"
            raise ConfigError(_OWNER, "tags", tag, remedy)

    if len(set(names)) < len(names):
        raise ConfigError(_OWNER, "tags", list(names), "name each tag once")

    return names


def _static_tags(static: Mapping[str, object] | None) -> dict[str, str]:
    if static is None:
        return {}

    if not isinstance(static, Mapping):
        raise ConfigError(_OWNER, "static", static, "give a mapping from tags to values, as {service: shop}")

    return {key: _text(static[key]) for key in static}  # by []: see above


def _metric_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not name.endswith("_total"):
        raise ConfigError(_OWNER, "name", name, 'a counter is letters, digits and _, and ends in "_total"')

    return name


def _text(value: object) -> str:
    """Show a label's value so that it encodes; one whose `__str__` raises is shown by its type."""
    return safe_text(value)[:_LONGEST]


def _after_fork_in_child() -> None:
    for counter in tuple(_counters.values()):
        counter.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
