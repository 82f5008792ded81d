"""What is read the quick way is what the slow way reads, value for value."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loghub.event.model import INTEGER_KEYS, KEYS, TAIL_KEYS, format_time
from loghub.hub.ingest import GoodLine, read_body, read_line
from loghub.hub.settings import Limits
from loghub.hub.store import quick
from loghub.hub.store.blocks import Texts
from loghub.hub.store.columns import to_row
from loghub.hub.store.hot import Hot
from loghub.hub.store.protocol import StoredEvent
from loghub.hub.store.quick import read_lines
from loghub.wire.ndjson import split

from strategies import json_objects

SOURCE = "0123456789ab0123456789ab"
NOW_US = 1_790_000_000_000_000
LIMITS = Limits(line=2000)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.one_of(
    st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999).map(format_time),
    st.sampled_from(
        [
            *("2026-09-21T14:13:20Z", "2026-09-21T14:13:20.000000+00:00", "2026-13-21T14:13:20.000000Z", "", None, 1),
            *("2026-09-21T14:13:20.00000٣Z", "2026-09-21T14:13:60.000000Z", "2026-09-21 14:13:20.000000Z", "x" * 27),
            *("2026-09-21T14:13:20.1_0000Z", "20260-9-21T14:13:20.000000Z", "2026-09-21T14:13:20,000000Z", 1.5),
        ]
    ),
)
levels = st.sampled_from(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "info", "WARN", "TRACE", "Level 7", 2])
odd_values: st.SearchStrategy[Any] = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts),
    *(st.lists(texts, max_size=2), st.dictionaries(texts, st.integers(), max_size=2)),
)
integers = st.integers(-(2**64), 2**64) | st.integers(0, 9)
exceptions = st.dictionaries(
    st.sampled_from(["type", "message", "fingerprint", "notes", "frames"]), texts | odd_values, max_size=3
)


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a line that is mostly as our handlers write it."""
    found: dict[str, Any] = {"timestamp": draw(times), "level": draw(levels)}

    found |= _standard(draw, [key for key in KEYS[2:] if key != "levelno" or draw(st.integers(0, 9)) == 0], 6)
    free = st.sampled_from(["user", "a.b", "_x", "extra", "Ä", "_id", "_cursor", "short_message", "severity"])
    usual = st.sampled_from(["user", "a.b", "_x", "extra", "Ä", "exception_type", "fingerprint"])
    names = usual if draw(st.integers(0, 4)) else free
    found |= {key: draw(odd_values) for key in draw(st.lists(names, unique=True, max_size=3))}
    found |= _standard(draw, TAIL_KEYS if draw(st.integers(0, 4)) == 0 else ("exc_info", "exception"), 2)

    if draw(st.integers(0, 4)) == 0:
        return dict(draw(st.permutations(list(found.items()))))

    return found


def _standard(draw: st.DrawFn, keys: Sequence[str], most: int) -> dict[str, Any]:
    """Draw some of these keys, in their order, with values that are mostly as they have to be."""
    chosen = draw(st.sets(st.sampled_from(keys), max_size=most))
    return {key: draw(odd_values if draw(st.integers(0, 19)) == 0 else _usual(key)) for key in keys if key in chosen}


def _usual(key: str) -> st.SearchStrategy[Any]:
    return integers if key in INTEGER_KEYS else exceptions if key == "exception" else texts


lines = st.one_of(
    objects().map(lambda found: json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()),
    objects().map(lambda found: json.dumps(found).encode()),
    json_objects.map(lambda found: json.dumps(found).encode()),
    st.sampled_from([b"", b"{", b"[]", b"null", b'["timestamp","level"]', b'{"a":1}{"b":2}', b'{"a":\xff}', b"\t{}"]),
    st.sampled_from(
        [
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","n":123456789012345678901234567890}',
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","n":1e400}',
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","n":-0.0,"m":1.0e2,"n":1}',
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","message":"' + b"x" * 3000 + b'"}',
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","deep":' + b"[" * 400 + b"]" * 400 + b"}",
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","half":"\\ud800"}',
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","line":true}',
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","line":26,"line":2}',
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","line":2 }',
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","message":"a","message":"a"}',
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","a":1},{"b":1}',
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","a":[{}',
            b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO","b":1}]}',
        ]
    ),
)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": "1"}) as engine:
        yield engine


@settings(max_examples=300, deadline=None)
@given(st.lists(lines, max_size=8), st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
@example([b'{"timestamp":"2026-09-21T14:13:20.000001Z","level":"INFO"}'] * 3, b"\n")
def test_a_body_read_quickly_is_what_its_lines_are_one_by_one(
    engine: duckdb.DuckDBPyConnection, found: list[bytes], separator: bytes
) -> None:
    body = separator.join(found) + separator
    slow = [read_line(index, line, LIMITS.line, NOW_US) for index, line in enumerate(split(body))]
    good = [read for read in slow if isinstance(read, GoodLine)]
    reading = read_body(body, limits=LIMITS, now_us=NOW_US)

    assert list(reading.bad) == [read for read in slow if not isinstance(read, GoodLine)]
    assert list(reading.good) == good
    assert [list(one.event.fields) for one in reading.good] == [list(one.event.fields) for one in good]

    expected = [
        to_row(StoredEvent(number, SOURCE, 10 + read.index, NOW_US, read.event)) for number, read in enumerate(good, 7)
    ]

    with tempfile.TemporaryDirectory() as folder:
        hot = Hot(engine, Path(folder), 7)
        hot.append([reading.batch(SOURCE, 10)], 7)
        hot.settle()
        rows = engine.execute(f"SELECT * FROM {hot.part.table} ORDER BY arrival").fetchall()  # noqa: S608 (our own name)
        hot.part.dispose()
        hot.close()

    assert rows == expected

    if good:
        event_times = [read.event.time_us for read in good]
        extent = hot.part.extent
        assert (extent.min_us, extent.max_us, extent.count) == (min(event_times), max(event_times), len(good))
        assert hot.part.shape.complete
        assert {key for row in rows for key in json.loads(row[-1])} <= set(hot.part.shape.keys)


def test_lines_of_our_own_handlers_go_the_quick_way() -> None:
    plain = {"timestamp": format_time(NOW_US), "level": "INFO", "logger": "app", "message": "Käse", "line": 3}
    extras: list[dict[str, Any]] = [{}, {"user": 7}, {"tags": ["a"], "none": None}, {"x": "ü"}]
    found = [orjson.dumps(plain | extra) + b"\n" for extra in extras]

    blocks, odd = read_lines(found)
    assert not odd
    assert [list(block.places) for block in blocks] == [[0, 1, 2, 3]]


def test_one_line_with_an_odd_value_takes_no_other_along() -> None:
    plain = {"timestamp": format_time(NOW_US), "level": "INFO", "message": "m", "line": 3}
    extras: list[dict[str, Any]] = [{}, {"line": True}, {}, {"message": 1}, {"level": "odd"}]
    found = [orjson.dumps(plain | extra) + b"\n" for extra in extras]

    blocks, odd = read_lines(found)
    assert odd == [1, 3, 4]
    assert [list(block.places) for block in blocks] == [[0, 2]]


def test_lines_of_a_long_body_keep_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "_AT_ONCE", 3)
    plain = {"timestamp": format_time(NOW_US), "level": "INFO", "message": "m", "line": 3}
    found = [orjson.dumps(plain | ({"line": True} if place % 5 == 2 else {})) + b"\n" for place in range(11)]
    found[4] = orjson.dumps(plain | {"long": "x" * 200}) + b"\n"

    blocks, odd = read_lines(found, 150)
    assert odd == [2, 4, 7]
    assert [place for block in blocks for place in block.places] == [0, 1, 3, 5, 6, 8, 9, 10]


def test_lines_with_exceptions_go_the_quick_way() -> None:
    plain = {"timestamp": format_time(NOW_US), "level": "ERROR", "message": "m"}
    error = {
        "type": "ValueError",
        "module": "builtins",
        "message": "ü",
        "fingerprint": "0" * 16,
        "frames": [{"line": 1}],
    }
    extras: list[dict[str, Any]] = [
        {},
        {"exc_info": "T"},
        {"a": 1, "exc_info": "T", "exception": error},
        {"exception": {}},
    ]
    blocks, odd = read_lines([orjson.dumps(plain | extra) + b"\n" for extra in extras])

    assert not odd
    assert [block.exceptions for block in blocks] == [{2: orjson.dumps(error), 3: b"{}"}]


def test_what_the_engine_cannot_read_goes_the_slow_way_with_all_that_waits(
    engine: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    found = [orjson.dumps({"timestamp": format_time(NOW_US), "level": "INFO", "n": n}) + b"\n" for n in range(3)]
    batch = read_body(b"".join(found), limits=LIMITS, now_us=NOW_US).batch(SOURCE, 1)
    (block,) = batch.blocks
    broken = replace(block, heads=Texts(b"{" * len(block.heads.data), block.heads.sizes))

    hot = Hot(engine, tmp_path, 1)
    hot.append([replace(batch, blocks=[broken])], 1)
    hot.settle()
    rows = engine.execute(f"SELECT attributes FROM {hot.part.table} ORDER BY arrival").fetchall()  # noqa: S608 (our own name)
    hot.part.dispose()
    hot.close()

    assert rows == [('{"n":0}',), ('{"n":1}',), ('{"n":2}',)]
