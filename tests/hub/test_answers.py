import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.event.model import Event
from loghub.hub.answers import event_json, page_cursor, parse_page_cursor, parse_tail_cursor, tail_cursor, to_json
from loghub.hub.store.protocol import Place, StoredEvent

SOURCES = st.text("0123456789abcdef", min_size=24, max_size=24)


@given(st.integers(-(10**17), 10**17), SOURCES, st.integers(0, 2**63 - 1))
def test_a_cursor_of_a_page_is_read_as_it_was_written(time_us: int, source: str, seq: int) -> None:
    place = Place(time_us, source, seq)
    assert parse_page_cursor(page_cursor(place)) == place


@given(SOURCES, st.integers(0, 2**63 - 1))
def test_a_cursor_of_a_tail_is_read_as_it_was_written(epoch: str, arrival: int) -> None:
    assert parse_tail_cursor(tail_cursor(epoch, arrival)) == (epoch, arrival)


@given(st.text())
def test_any_text_is_a_cursor_or_none(text: str) -> None:
    for parse in (parse_page_cursor, parse_tail_cursor):
        parse(text)


def test_no_field_takes_the_place_of_an_event() -> None:
    event = Event(0, 20, {"_id": "spoofed", "message": "m"})
    written = json.loads(event_json(StoredEvent(1, "a", 2, 0, event), "epoch"))
    assert list(written) == ["_id", "_received", "_cursor", "message"]
    assert written["_id"] == f"a-{2:016x}"


@pytest.mark.parametrize("value", [10**40, -(2**70), 0.5, "é", "\ud800"])
def test_any_value_is_written(value: object) -> None:
    written = json.loads(to_json({"value": value}))
    assert written["value"] == value
