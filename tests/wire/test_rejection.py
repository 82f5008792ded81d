import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.wire.batch import Batch
from loghub.wire.rejection import event_id, rejected_places

SOURCE = "0123456789ab" * 2
BATCH = Batch(SOURCE, 7, (b"a\n", b"b\n", b"c\n"))


@pytest.mark.parametrize("as_object", [True, False])
def test_named_records_are_found_by_their_place_in_order(*, as_object: bool) -> None:
    names = [event_id(SOURCE, 9), event_id(SOURCE, 7)]
    body = json.dumps({"rejected": [{"id": name, "error": "no"} if as_object else name for name in names]})
    assert rejected_places(body.encode(), BATCH) == (0, 2)


@pytest.mark.parametrize("name", [event_id(SOURCE, 6), event_id(SOURCE, 10), event_id("f" * 24, 7), "7", 7, None, {}])
def test_what_names_no_record_of_the_batch_rejects_nothing(name: object) -> None:
    assert rejected_places(json.dumps({"rejected": [name]}).encode(), BATCH) == ()


@given(
    st.one_of(st.binary(), st.sampled_from([b'{"rejected": 5}', b'["rejected"]', b'{"rejected": [[]', b'"rejected"']))
)
def test_any_body_is_read(body: bytes) -> None:
    assert rejected_places(body, BATCH) == ()
