import pytest
from hypothesis import given

from loghub.event.encode import decode, encode
from loghub.event.model import KEYS, TAIL_KEYS, Event, JSONValue, format_time, parse_time

from strategies import events, line_objects

NOW = 1_795_000_000_000_000


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-11-22T14:17:21.698000Z", 1_795_357_041_698_000),
        ("2026-11-22T15:17:21.698+01:00", 1_795_357_041_698_000),
        ("2026-11-22T14:17:21", 1_795_357_041_000_000),
        (1_795_357_041, 1_795_357_041_000_000),
        (1_795_357_041.698, 1_795_357_041_698_000),
        (1_795_357_041_698, 1_795_357_041_698_000),
        (1_795_357_041_698_000, 1_795_357_041_698_000),
        (1_795_357_041_698_000_999, 1_795_357_041_698_000),
        ("yesterday", None),
        (True, None),
        (None, None),
        (float("nan"), None),
        (10**300, None),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-12:00", None),
        (-9e10, None),
        (10**400, None),
    ],
)
def test_time_is_read_as_text_or_by_its_magnitude(given: JSONValue, expected: int | None) -> None:
    assert parse_time(given) == expected


def test_time_is_written_with_six_digits_and_z() -> None:
    assert format_time(1_795_357_041_698_000) == "2026-11-22T14:17:21.698000Z"
    assert format_time(1_795_357_041_000_000) == "2026-11-22T14:17:21.000000Z"


@pytest.mark.parametrize(
    ("fields", "level", "number"),
    [
        ({"level": "warn"}, "WARNING", 30),
        ({"level": "INFO"}, "INFO", 20),
        ({}, "INFO", 20),
        ({"levelno": 40}, "ERROR", 40),
        ({"level": "NOISE", "levelno": 7}, "NOISE", 7),
        ({"level": "unheard"}, "unheard", 20),
        ({"level": 30}, "WARNING", 30),
    ],
)
def test_level_is_read_by_name_or_number(fields: dict[str, JSONValue], level: str, number: int) -> None:
    event = Event.from_mapping(fields, now_us=NOW)

    assert (event.fields["level"], event.severity) == (level, number)


def test_missing_time_is_the_time_of_receipt() -> None:
    assert Event.from_mapping({"message": "x"}, now_us=NOW).time_us == NOW


def test_value_of_the_wrong_type_is_kept_under_extra() -> None:
    event = Event.from_mapping({"process": "web", "message": {"a": 1}, "line": 2**70, "extra": {"x": 1}}, now_us=NOW)

    assert event.fields["extra"] == {"message": {"a": 1}, "process": "web", "line": 2**70, "x": 1}


@given(line_objects)
def test_every_object_is_an_event_and_nothing_of_it_is_lost(fields: dict[str, JSONValue]) -> None:
    event = Event.from_mapping(fields, now_us=NOW)
    extra = event.fields.get("extra")
    kept = extra if isinstance(extra, dict) else {}

    for key, value in fields.items():
        if value is None or key in ("timestamp", "level", "levelno", "extra"):
            continue

        assert event.fields.get(key) == value or kept.get(key) == value


@given(events)
def test_line_of_an_event_reads_back_as_that_event(event: Event) -> None:
    line = encode(event.fields)
    again = Event.from_mapping(decode(line), now_us=0)

    assert again == event
    assert line.count(b"\n") == 1


@given(events)
def test_keys_stand_in_the_order_of_the_line(event: Event) -> None:
    keys = list(event.fields)
    first = [key for key in keys if key in KEYS]
    last = [key for key in keys if key in TAIL_KEYS]

    assert first == [key for key in KEYS if key in keys]
    assert keys[: len(first)] == first
    assert not last or keys[-len(last) :] == last
