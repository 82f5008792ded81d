"""What a user would write by hand: events in SQLite, with indices and a full text index, for `search.py`."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.events import NOWHERE, lines

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE events (id INTEGER PRIMARY KEY, ts TEXT, level TEXT, logger TEXT, service TEXT, request_id TEXT,
    message TEXT, line TEXT);
CREATE VIRTUAL TABLE words USING fts5(message, content='events', content_rowid='id', tokenize='trigram');
"""
_INDICES = """
CREATE INDEX by_ts ON events (ts);
CREATE INDEX by_service ON events (service, level, ts);
CREATE INDEX by_request ON events (request_id);
INSERT INTO words(words) VALUES ('rebuild');
"""
_NEWEST = "ORDER BY ts DESC LIMIT 200"


def fill(path: Path, count: int) -> None:
    """Write the events to a file."""
    with sqlite3.connect(path) as file:
        file.executescript(_SCHEMA)
        file.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _rows(count))
        file.executescript(_INDICES)

    file.close()


def _rows(count: int) -> Iterator[tuple[object, ...]]:
    for number, line in enumerate(lines(count), 1):
        event = json.loads(line)
        keys = ("timestamp", "level", "logger", "service", "request_id", "message")
        yield number, *map(event.get, keys), line.decode()


def cases(path: Path, request: str, customer: str) -> dict[str, Callable[[], object]]:
    """Give the queries that `search.py` asks, by the same names."""
    file = sqlite3.connect(path)

    def ask(sql: str, *values: object) -> Callable[[], object]:
        return lambda: file.execute(sql, values).fetchall()

    return {
        "newest page of 200": ask(f"SELECT line FROM events {_NEWEST}"),  # noqa: S608 (our own)
        "service and level": ask(
            f"SELECT line FROM events WHERE service = ? AND level = ? {_NEWEST}",  # noqa: S608 (our own)
            "billing",
            "ERROR",
        ),
        "request id": ask(f"SELECT line FROM events WHERE request_id = ? {_NEWEST}", request),  # noqa: S608 (our own)
        "promoted attribute = value": ask(
            f"SELECT line FROM events WHERE json_extract(line, '$.customer') = ? {_NEWEST}",  # noqa: S608 (our own)
            customer,
        ),
        "top values of a column": ask("SELECT service, count(*) FROM events GROUP BY service ORDER BY 2 DESC LIMIT 10"),
        "histogram by level over everything": ask(
            "SELECT substr(ts, 1, 16), level, count(*) FROM events GROUP BY 1, 2"
        ),
        "substring without a hit": ask(
            "SELECT line FROM events JOIN words ON words.rowid = events.id WHERE words MATCH ? LIMIT 200", NOWHERE
        ),
    }
