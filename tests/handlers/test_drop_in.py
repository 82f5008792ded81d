"""Beyond CPython's own tests: hooks of subclasses, several processes' worth of care, clocks that jump."""

import datetime as dt
import gzip
import json
import logging
import logging.handlers
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loghub.handlers.json_file import JSONFileHandler
from loghub.segments import segments


def log_to(handler: logging.Handler, *messages: str) -> None:
    for message in messages:
        handler.handle(logging.makeLogRecord({"msg": message, "levelno": 20, "levelname": "INFO"}))


def messages_of(path: Path) -> list[str]:
    return [json.loads(line)["message"] for line in path.read_text().splitlines()]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [time.time()]
    monkeypatch.setattr("time.time", lambda: now[0])
    monkeypatch.setattr("time.time_ns", lambda: int(now[0] * 1e9))  # of records, from Python 3.13 on
    return now


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


def test_numbered_names_keep_every_line_within_the_count(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, maxBytes=1000, backupCount=100)
    sent = [f"{n} äöü" for n in range(100)]
    log_to(handler, *sent)
    handler.close()

    numbered = sorted(tmp_path.glob("app.jsonl.*"), key=lambda found: -int(found.suffix[1:]))
    assert [message for file in (*numbered, path) for message in messages_of(file)] == sent
    assert max(file.stat().st_size for file in numbered) < 1000
    assert len(numbered) > 10


def test_count_bounds_the_numbered_files(tmp_path: Path) -> None:
    handler = JSONFileHandler(tmp_path / "app.jsonl", maxBytes=500, backupCount=2)
    log_to(handler, *(str(n) for n in range(50)))
    handler.close()

    assert {path.name for path in tmp_path.glob("app*")} == {"app.jsonl", "app.jsonl.1", "app.jsonl.2"}


def test_limit_without_a_count_lets_the_file_grow(tmp_path: Path) -> None:
    handler = JSONFileHandler(tmp_path / "app.jsonl", maxBytes=500)
    log_to(handler, *(str(n) for n in range(50)))
    handler.close()

    assert len(messages_of(tmp_path / "app.jsonl")) == 50


def test_limit_that_is_changed_while_it_runs_holds(tmp_path: Path, clock: list[float]) -> None:
    handler = JSONFileHandler(tmp_path / "app.jsonl", maxBytes=10_000_000, backupCount=3)
    log_to(handler, *"abc")
    handler.maxBytes = 100
    clock[0] += 2
    log_to(handler, "d")
    handler.close()

    assert messages_of(tmp_path / "app.jsonl") == ["d"]


@pytest.mark.parametrize("options", [{"rotate": "1 MB"}, {"maxBytes": 10**6, "backupCount": 3}, {}], ids=str)
def test_roll_by_hand(options: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, **options)
    log_to(handler, "one")
    handler.doRollover()
    log_to(handler, "two")
    handler.close()

    assert messages_of(path) == ["two"]
    old = tmp_path / "app.jsonl.1" if options.get("maxBytes") else segments(path)[0].path
    assert messages_of(old) == ["one"]


def test_own_do_rollover_is_called_when_the_file_is_due(tmp_path: Path) -> None:
    class Headed(JSONFileHandler):
        rolls = 0

        def doRollover(self) -> None:
            super().doRollover()
            self.rolls += 1

    handler = Headed(tmp_path / "app.jsonl", rotate="1 KB")
    log_to(handler, *(str(n) for n in range(50)))
    handler.close()

    assert handler.rolls == len(segments(tmp_path / "app.jsonl")) > 3


def test_own_do_rollover_in_the_standard_librarys_manner_works(tmp_path: Path) -> None:
    """As found in public code: close the stream, move the file, open it again."""

    class Moving(JSONFileHandler):
        def doRollover(self) -> None:
            if self.stream:
                self.stream.close()
                self.stream = None

            os.rename(self.baseFilename, f"{self.baseFilename}.{time.time_ns()}")  # noqa: PTH104 (as there)
            self.stream = self._open()

    handler = Moving(tmp_path / "app.jsonl", maxBytes=500)
    log_to(handler, *(str(n) for n in range(20)))
    handler.close()
    files = sorted(tmp_path.glob("app.jsonl.*"), key=lambda path: int(path.suffix[1:]))

    assert [m for path in (*files, tmp_path / "app.jsonl") for m in messages_of(path)] == [str(n) for n in range(20)]
    assert len(files) > 3


def test_own_should_rollover_is_asked_for_each_record(tmp_path: Path) -> None:
    class OnMarks(JSONFileHandler):
        def shouldRollover(self, record: logging.LogRecord | None) -> bool:
            return record is not None and record.msg == "mark"

    handler = OnMarks(tmp_path / "app.jsonl")
    log_to(handler, "a", "mark", "b", "mark")
    handler.close()

    assert [messages_of(segment.path) for segment in segments(tmp_path / "app.jsonl")] == [["a"], ["mark", "b"]]


def test_rotator_and_namer_that_compress_get_every_file(tmp_path: Path) -> None:
    def rotator(source: str, dest: str) -> None:
        Path(dest).write_bytes(gzip.compress(Path(source).read_bytes()))
        Path(source).unlink()

    handler = JSONFileHandler(tmp_path / "app.jsonl", maxBytes=500, backupCount=50)
    handler.rotator = rotator
    handler.namer = lambda name: f"{name}.gz"
    log_to(handler, *(str(n) for n in range(30)))
    handler.close()

    files = sorted(tmp_path.glob("*.gz"), key=lambda path: -int(path.name.split(".")[2]))
    lines = [line for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]
    lines += (tmp_path / "app.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["message"] for line in lines] == [str(n) for n in range(30)]


@pytest.mark.parametrize("hook", ["namer", "rotator", "doRollover", "shouldRollover"])
def test_hook_that_raises_does_not_reach_the_application_and_loses_nothing(hook: str, tmp_path: Path) -> None:
    def broken(*_: object) -> Any:
        raise KeyError(hook)

    kind = type("Broken", (JSONFileHandler,), {hook: broken})
    handler = kind(tmp_path / "app.jsonl", maxBytes=300, backupCount=9)
    log_to(handler, *"abcdefghij")

    if hook in {"doRollover", "shouldRollover"}:
        assert handler._sturdy.waiting > 0, "waits until the hook is mended"
        setattr(kind, hook, getattr(JSONFileHandler, hook))
        handler._asks, handler._rolling.due = False, None
        handler.flush()

    handler.close()
    found = [message for path in sorted(tmp_path.glob("app*"), reverse=True) for message in messages_of(path)]
    assert [message for message in found if "lost" not in message] == list("abcdefghij")
    assert handler.lost == 0


def test_dated_name_that_is_taken_is_not_overwritten(tmp_path: Path, clock: list[float]) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, when="D", utc=True)
    log_to(handler, "one")
    begin = handler.rolloverAt - 86_400
    taken = tmp_path / f"app.jsonl.{time.strftime('%Y-%m-%d', time.gmtime(begin))}"
    taken.write_text("somebody's\n")
    clock[0] = handler.rolloverAt + 5
    log_to(handler, "two", "three")
    clock[0] += 86_400
    log_to(handler, "four")
    handler.close()

    assert taken.read_text() == "somebody's\n"
    assert messages_of(path) == ["four"]
    assert sum(len(messages_of(file)) for file in tmp_path.glob("app.jsonl.*") if file != taken) == 3


def test_clock_set_back_loses_nothing_and_rolls_when_its_time_comes(tmp_path: Path, clock: list[float]) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, when="H", utc=True)
    log_to(handler, "one")
    clock[0] -= 7200
    log_to(handler, "two")
    clock[0] += 3 * 3600
    log_to(handler, "three")
    handler.close()

    assert messages_of(path) == ["three"]
    assert [messages_of(file) for file in tmp_path.glob("app.jsonl.*")] == [["one", "two"]]


def test_clock_set_back_keeps_the_order_of_segments(tmp_path: Path, clock: list[float]) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, rotate=["1 hour", "400 B"])
    sent = [str(number) for number in range(60)]

    for number, message in enumerate(sent):
        clock[0] += -3000 if number % 7 == 0 else 400
        log_to(handler, message)

    handler.close()
    assert [m for file in (*(s.path for s in segments(path)), path) for m in messages_of(file)] == sent


DAYS = ["2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2026-12-31", "2028-02-28", "2026-01-31", "2026-04-30"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC"])
@pytest.mark.parametrize("day", DAYS)
def test_each_day_has_its_file_whatever_the_clock_does(
    zone: str, day: str, tmp_path: Path, clock: list[float], in_zone: Callable[[str], None]
) -> None:
    in_zone(zone)
    path = tmp_path / "app.jsonl"
    noon = dt.datetime.fromisoformat(f"{day}T12:00:00")
    moments = [noon + dt.timedelta(days=days, hours=hours) for days in range(3) for hours in (-11.9, 0, 11.9)]
    clock[0] = moments[0].timestamp()
    handler = JSONFileHandler(path, when="midnight")

    for moment in moments:
        clock[0] = moment.timestamp()
        log_to(handler, f"{moment:%Y-%m-%d}")
        os.utime(path, (clock[0], clock[0]))

    handler.close()
    for number in range(2):
        date = f"{noon + dt.timedelta(days=number):%Y-%m-%d}"
        assert messages_of(tmp_path / f"app.jsonl.{date}") == [date] * 3

    assert len(messages_of(path)) == 3


def test_switched_by_its_class_name_alone(tmp_path: Path) -> None:
    """A configuration for each class of the standard library, as dictConfig gives it to the constructor."""
    rotating = {"mode": "a", "maxBytes": 1000, "backupCount": 3, "encoding": "utf8", "delay": True, "errors": None}
    timed = {"when": "W0", "interval": 2, "backupCount": 3, "encoding": "utf-8", "delay": False, "utc": True}
    kinds: list[tuple[Callable[..., logging.Handler], dict[str, Any]]] = [
        (logging.FileHandler, {"mode": "a", "encoding": None, "delay": True}),
        (logging.handlers.RotatingFileHandler, rotating),
        (logging.handlers.TimedRotatingFileHandler, {**timed, "atTime": dt.time(3, 30)}),
    ]

    for number, (theirs, options) in enumerate(kinds):
        old = theirs(tmp_path / f"{number}.log", **options)
        new = JSONFileHandler(tmp_path / f"{number}.log", **options)

        for name, value in vars(old).items():
            if not name.startswith("_") and name not in {"lock", "stream", "extMatch", "encoding", "rolloverAt"}:
                assert getattr(new, name) == value, name

        assert isinstance(new, logging.FileHandler)
        old.close()
        new.close()
