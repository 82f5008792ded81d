"""Syslog messages: RFC 5424's grammar and limits hold for any event, and nothing of it is lost on the way back."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.event.encode import encode
from loghub.wire.batch import Batch
from loghub.wire.syslog import BODIES, frame, messages

SOURCE = "0123456789ab" * 2
NAME = rb"[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}"  # SD-NAME: printable, without = ] " and blank
PARAMETER = rb'%s="(?:[^"\\\]]|\\.)*"' % NAME
GRAMMAR = re.compile(
    rb"<(?P<pri>\d{1,3})>1 (?P<time>-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d))"
    rb" (?P<host>[\x21-\x7e]{1,255}) (?P<app>[\x21-\x7e]{1,48}) (?P<process>[\x21-\x7e]{1,128})"
    rb" (?P<id>[\x21-\x7e]{1,32}) (?P<data>(?:\[%s(?: %s)*\])+) (?P<text>.*)" % (NAME, PARAMETER),
    re.DOTALL,
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["timestamp", "level", "levelno", "hostname", "service", "process", "logger", "message", "id"])


def only(fields: dict[str, Any], *, structured: bool = False, first: int = 7) -> dict[str, bytes]:
    (message,) = messages(Batch(SOURCE, first, (encode(fields),)), structured=structured)
    match = GRAMMAR.fullmatch(message)
    assert match, message
    return match.groupdict()


def parameters(data: bytes) -> dict[str, str]:
    found = re.findall(rb'(%s)="((?:[^"\\\]]|\\.)*)"' % NAME, data, re.DOTALL)
    return {name.decode(): re.sub(r'\\(["\\\]])', r"\1", value.decode()) for name, value in found}


EVENT = {
    "timestamp": "2026-11-22T14:17:22.000123Z",
    "level": "ERROR",
    "logger": "shop.cart",
    "message": 'sold "tea"',
    "service": "shop",
    "hostname": "web-1",
    "process": 17,
    "sku": 'a]b"c\\d',
    "items": [1, 2],
}


def test_header_is_filled_from_the_event() -> None:
    found = only(EVENT)
    assert found["pri"] == b"11"
    assert found["time"] == b"2026-11-22T14:17:22.000123Z"
    assert (found["host"], found["app"], found["process"], found["id"]) == (b"web-1", b"shop", b"17", b"shop.cart")


def test_message_is_the_whole_line() -> None:
    assert json.loads(only(EVENT)["text"]) == EVENT


def test_fields_are_structured_data_where_that_is_asked_for() -> None:
    found = only(EVENT, structured=True)
    assert found["text"] == b'sold "tea"'
    told = parameters(found["data"])
    assert (told["sku"], told["items"], told["service"]) == ('a]b"c\\d', "[1,2]", "shop")
    assert told["id"] == f"{SOURCE}-{7:016x}"


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"level": "CRITICAL"}, 2),
        ({"level": "WARNING"}, 4),
        ({"level": "INFO"}, 6),
        ({"level": "DEBUG"}, 7),
        ({"level": "NOTICE", "levelno": 35}, 4),
        ({"level": "TRACE", "levelno": 5}, 7),
        ({"level": "FATAL", "levelno": 90}, 2),
        ({}, 6),
    ],
)
def test_level_becomes_a_severity(fields: dict[str, Any], severity: int) -> None:
    assert int(only(fields)["pri"]) == 8 + severity


def test_numbers_of_messages_stay_in_their_range() -> None:
    assert b'sequenceId="2147483647"' in only({}, first=2_147_483_647)["data"]
    assert b'sequenceId="1"' in only({}, first=2_147_483_648)["data"]


@given(
    fields=st.dictionaries(KEYS | st.text(), JSON, max_size=8),
    structured=st.booleans(),
)
def test_any_event_keeps_to_the_grammar(fields: dict[str, Any], *, structured: bool) -> None:
    found = only(fields, structured=structured)

    if not structured:
        assert json.loads(found["text"]) == json.loads(encode(fields))
        return

    kept = [key for key in fields if key not in ("timestamp", "level", "levelno", "hostname", "message")]
    assert len(parameters(found["data"])) == len(kept) + 2  # sequenceId and id


@pytest.mark.parametrize("structured", [True, False])
def test_line_that_is_no_event_is_sent_as_it_is(*, structured: bool) -> None:
    (message,) = messages(Batch(SOURCE, 1, (b"plain text\n",)), structured=structured)
    assert GRAMMAR.fullmatch(message)
    assert message.endswith(b" plain text")


@given(st.lists(st.binary(), max_size=5))
def test_frames_are_told_apart_by_their_counts(bodies: list[bytes]) -> None:
    stream = b"".join(map(frame, bodies))
    found = []

    while stream:
        count, _, rest = stream.partition(b" ")
        found.append(rest[: int(count)])
        stream = rest[int(count) :]

    assert found == bodies


def test_lines_go_as_they_are_where_no_syslog_is_asked_for() -> None:
    assert BODIES["ndjson"](Batch(SOURCE, 1, (b"{}\n", b"[]\n"))) == b"{}\n[]\n"
