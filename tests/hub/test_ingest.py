import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from served_hub import SOURCE, TIME_US, line

from loghub.event.model import format_time
from loghub.hub.ingest import Reading, read_body
from loghub.hub.settings import Limits

from strategies import json_objects


def read(body: bytes) -> Reading:
    return read_body(body, limits=Limits(line=1000), now_us=TIME_US)


def test_a_line_is_kept_byte_for_byte() -> None:
    text = line("one", spaced=1).replace(b",", b" ,  ").strip()
    assert read(b"  " + text + b" \r\n").good[0].text == text + b"\n"


@pytest.mark.parametrize(
    "text",
    [
        b'{"message":"no time"}',
        b'{"timestamp":1790000000,"level":"INFO"}',
        b'{"timestamp":"2026-09-21T14:13:20Z","level":"INFO"}',
        b'{"timestamp":"2026-09-21T14:13:20.000000Z","level":"info"}',
        b'{"timestamp":"2026-09-21T14:13:20.000000Z","level":"INFO","message":7}',
        b'{"timestamp":"2026-09-21T14:13:20.000000Z","level":"INFO","_id":"x"}',
    ],
)
def test_a_line_that_had_to_be_changed_is_written_anew(text: bytes) -> None:
    (good,) = read(text).good
    assert good.text != text + b"\n"
    assert orjson.loads(good.text) == good.event.fields
    assert good.event.fields["timestamp"] == format_time(TIME_US)


def test_names_of_the_hub_itself_are_moved_and_not_lost() -> None:
    (good,) = read(b'{"_id":"x","_cursor":1,"message":"m","extra":{"_id":"y"}}').good
    assert good.event.fields["extra"] == {"_id": "y", "_cursor": 1}
    assert not {"_id", "_cursor"} & set(good.event.fields)


def test_a_batch_names_good_and_bad_lines_by_their_place() -> None:
    batch = read(line("a") + b"\nbad\n" + line("b")).batch(SOURCE, 10)

    assert (batch.first, batch.last, list(batch.seqs)) == (10, 12, [10, 12])
    assert [(bad.seq, bad.line, bad.text) for bad in batch.quarantined] == [(11, 3, b"bad")]


@given(st.lists(json_objects | st.just(None), max_size=8))
def test_every_line_is_good_or_bad_and_none_is_lost(objects: list[dict[str, object] | None]) -> None:
    texts = [b"broken" if found is None else json.dumps(found).encode() for found in objects]
    found = read_body(b"\n".join(texts), limits=Limits(), now_us=TIME_US)

    assert found.size == len(texts)
    assert sorted([one.index for one in found.good] + [one.index for one in found.bad]) == list(range(len(texts)))
    assert all(good.text.count(b"\n") == 1 and good.text.endswith(b"\n") for good in found.good)
