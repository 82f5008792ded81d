"""Counts over events in memory: the same answers as `counting` and `grouping` give of parts."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from loghub.event.model import Event
from loghub.hub.store.columns import IN_COLUMNS, KEY_COLUMNS
from loghub.hub.store.names import Names, kind_of, shape
from loghub.hub.store.protocol import StoredEvent
from loghub.hub.store.steps import Steps
from loghub.hub.store.summaries import Facet, Group, Grouping, Groups, Key, Kind
from loghub.query.fields import reader
from loghub.query.texts import Text, element_texts, value_text

_ON_EACH = ("levelno", "timestamp")
_OF_EXCEPTIONS = ("exception", "exception.fingerprint")


def count_values(events: Sequence[StoredEvent], name: str, limit: int) -> Facet:
    """Count the values of a field; an event counts once for each value of a list."""
    read = reader(name)
    counts = Counter(text for stored in events for text in element_texts(read(stored.event)))
    return Facet(name, len(counts), sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:limit])


def count_names(events: Sequence[StoredEvent], limit: int) -> Mapping[str, tuple[Kind, int]]:
    """Count the names of fields, those inside of objects too."""
    names = Names()
    readers = {name: reader(name) for name in (*KEY_COLUMNS, *_ON_EACH, *_OF_EXCEPTIONS)}

    for stored in events:
        for name, read in readers.items():
            if read(stored.event) is not None:
                names.add(name, kind_of(name), 1)

        attributes = {key: value for key, value in stored.event.fields.items() if key not in IN_COLUMNS}
        names.add_shape(shape(attributes), 1)

    return names.largest(limit)


def group(events: Sequence[StoredEvent], grouping: Grouping, steps: Steps) -> Groups:
    """Group events by their key."""
    key_of = _key_reader(grouping)
    members: dict[Key, list[StoredEvent]] = {}

    for stored in events:
        members.setdefault(key_of(stored.event), []).append(stored)

    ranked = sorted(members.items(), key=_rank)
    page = ranked[grouping.offset : grouping.offset + grouping.limit]
    return Groups([_group(key, inside, grouping, steps) for key, inside in page], len(members), len(events))


def _key_reader(grouping: Grouping) -> Callable[[Event], Key]:
    choices = [[reader(name) for name in choice] for choice in grouping.keys]

    def read(event: Event) -> Key:
        return tuple(_first(value_text(read(event)) for read in readers) for readers in choices)

    return read


def _first(texts: Iterable[Text]) -> Text:
    return next((text for text in texts if text is not None), None)


def _rank(entry: tuple[Key, list[StoredEvent]]) -> tuple[int, list[tuple[bool, str]]]:
    key, members = entry
    return -len(members), [(text is not None, text or "") for text in key]


def _group(key: Key, members: list[StoredEvent], grouping: Grouping, steps: Steps) -> Group:
    newest = max(members, key=lambda stored: (stored.event.time_us, stored.arrival))
    spark = [0] * steps.count
    read = reader(grouping.collect) if grouping.collect else lambda _: None

    if spark:
        for stored in members:
            spark[steps.of(stored.event.time_us)] += 1

    collected = {value_text(read(stored.event)) for stored in members}

    return Group(
        key=key,
        count=len(members),
        first_us=min(stored.event.time_us for stored in members),
        last_us=newest.event.time_us,
        newest=newest.arrival,
        spark=spark,
        collected=sorted(text for text in collected if text is not None),
    )
