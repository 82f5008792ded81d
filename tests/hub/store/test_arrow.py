from array import array
from collections.abc import Iterator
from itertools import accumulate

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loghub.hub.store.arrow import Chunk, Column, Door, Stream, Text

KINDS = {"n": "BIGINT", "t": "VARCHAR", "m": "BIGINT", "u": "VARCHAR"}
INTEGERS = st.integers(-(2**63), 2**63 - 1)
CHARACTERS = st.characters(exclude_categories=["Cs"])


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": "2"}) as engine:
        engine.execute("CREATE TABLE t (n BIGINT, t VARCHAR, m BIGINT, u VARCHAR)")
        engine.execute("CREATE TABLE through (n BIGINT, t VARCHAR)")
        yield engine


def chunk(rows: list[tuple[object, ...]], names: list[str]) -> Chunk:
    columns: dict[str, Column] = {}

    for index, name in enumerate(names):
        values = [row[index] for row in rows]

        if KINDS[name] == "BIGINT":
            columns[name] = array("q", [int(str(value)) for value in values])
        else:
            texts = [str(value).encode() for value in values]
            columns[name] = Text(b"".join(texts), array("i", accumulate(map(len, texts), initial=0)))

    return Chunk(len(rows), columns)


@st.composite
def chunks(draw: st.DrawFn) -> tuple[list[str], list[tuple[object, ...]]]:
    names = draw(st.lists(st.sampled_from(sorted(KINDS)), unique=True, min_size=1))
    row = st.tuples(*(INTEGERS if KINDS[name] == "BIGINT" else st.text(CHARACTERS) for name in names))
    return names, draw(st.lists(row, min_size=1, max_size=20))


@settings(max_examples=50, deadline=None)
@given(st.lists(chunks(), max_size=4))
def test_the_engine_reads_what_was_given(
    engine: duckdb.DuckDBPyConnection, given: list[tuple[list[str], list[tuple[object, ...]]]]
) -> None:
    as_dicts = [dict(zip(names, row, strict=True)) for names, rows in given for row in rows]
    expected = [tuple(row.get(name) for name in KINDS) for row in as_dicts]

    with Stream(KINDS, [chunk(rows, names) for names, rows in given]) as stream:
        engine.register("incoming", stream)
        engine.execute("CREATE OR REPLACE TABLE t AS SELECT * FROM incoming")
        twice = engine.execute("SELECT count(*) FROM incoming").fetchall()
        engine.unregister("incoming")

    assert engine.execute("SELECT * FROM t").fetchall() == expected
    assert twice == [(len(expected),)]


def test_a_chunk_of_many_rows_arrives_whole(engine: duckdb.DuckDBPyConnection) -> None:
    rows: list[tuple[object, ...]] = [(number, f"text {number}") for number in range(50_000)]

    with Stream(KINDS, [chunk(rows, ["n", "t"])] * 3) as stream:
        engine.register("incoming", stream)
        engine.execute("CREATE OR REPLACE TABLE t AS SELECT * FROM incoming")
        engine.unregister("incoming")

    found = engine.execute("SELECT count(*), sum(n), count(DISTINCT t), count(m), count(u), max(length(t)) FROM t")
    assert found.fetchall() == [(150_000, 3 * sum(range(50_000)), 50_000, 0, 0, len("text 49999"))]


def test_a_chunk_that_cannot_be_written_fails_the_insert_and_leaves_nothing(
    engine: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Stream.write_chunk

    def fail_at_the_second(stream: Stream, index: int, place: int) -> None:
        if index:
            raise MemoryError

        write(stream, index, place)

    monkeypatch.setattr(Stream, "write_chunk", fail_at_the_second)
    engine.execute("CREATE OR REPLACE TABLE t (n BIGINT, t VARCHAR, m BIGINT, u VARCHAR)")

    with Stream(KINDS, [chunk([(1,)], ["n"]), chunk([(2,)], ["n"])]) as stream:
        engine.register("incoming", stream)

        with pytest.raises(duckdb.Error):
            engine.execute("INSERT INTO t SELECT * FROM incoming")

        engine.unregister("incoming")

    assert engine.execute("SELECT count(*) FROM t").fetchall() == [(0,)]


def test_streams_come_and_go_behind_a_door(engine: duckdb.DuckDBPyConnection) -> None:
    door = Door(KINDS)

    with door.bring(()):
        engine.register("door", door)
        engine.execute("PREPARE put AS INSERT INTO through SELECT n, t FROM door")

    given: list[list[tuple[object, ...]]] = [[(1, "a"), (2, "b")], [(3, "c")]]

    for rows in given:
        with door.bring([chunk(rows, ["n", "t"])]):
            assert engine.execute("EXECUTE put").fetchall() == [(len(rows),)]

    with pytest.raises(duckdb.Error, match="nothing was brought"):
        engine.execute("EXECUTE put").fetchall()

    assert engine.execute("SELECT * FROM through").fetchall() == [(1, "a"), (2, "b"), (3, "c")]
    engine.unregister("door")
