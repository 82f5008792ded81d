"""A thread is made while something logs inside of its making, as a `__del__` or a signal handler may: there is one."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loghub.handlers import line_worker, rounds, upkeep, worker
from loghub.handlers.json_file import JSONFileHandler
from loghub.handlers.remote import RemoteHandler
from loghub.handlers.retention import Retention

from log_writers import messages_of
from scripted_hub import scripted_hub


def log_while_threads_are_made(
    monkeypatch: pytest.MonkeyPatch, module: object, log: Callable[[str], None]
) -> list[threading.Thread]:
    """Log once within the making of the next thread of a module; give the list of those that it makes and starts."""
    started: list[threading.Thread] = []
    nested = ["nested"]

    class Thread(threading.Thread):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)

            while nested:
                log(nested.pop())

        def start(self) -> None:
            started.append(self)
            super().start()

    class Threading:
        def __getattr__(self, name: str) -> object:
            return Thread if name == "Thread" else getattr(threading, name)

    monkeypatch.setattr(module, "threading", Threading())
    return started


def log_to(handler: logging.Handler) -> Callable[[str], None]:
    def log(message: str) -> None:
        handler.handle(logging.makeLogRecord({"msg": message}))

    return log


def test_one_thread_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_hub() as hub:
        handler = RemoteHandler(hub.url, linger="5 ms")
        started = log_while_threads_are_made(monkeypatch, worker, log_to(handler))
        log_to(handler)("outer")
        assert handler.flush(60)
        assert sorted(hub.messages) == ["nested", "outer"]
        handler.close()

    assert len(started) == 1


def test_one_thread_writes_the_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    handler = JSONFileHandler(tmp_path / "app.jsonl", write="async")
    started = log_while_threads_are_made(monkeypatch, line_worker, log_to(handler))
    log_to(handler)("outer")
    handler.flush()
    handler.close()

    assert sorted(messages_of(tmp_path / "app.jsonl")) == ["nested", "outer"]
    assert len(started) == 1


def test_one_thread_makes_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("outer", "nested")
    things = {name: Thing() for name in names}
    visited = {name: threading.Event() for name in names}

    def visit(thing: Thing) -> bool:
        next(visited[name] for name in names if things[name] is thing).set()
        return False

    made = rounds.Rounds("loghub-test", 0.001, visit)
    started = log_while_threads_are_made(monkeypatch, rounds, lambda name: made.mind(things[name]))
    made.mind(things["outer"])

    assert all(event.wait(60) for event in visited.values())
    assert len(started) == 1


def test_one_thread_minds_the_logs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    minded = upkeep.Upkeep()
    chores = {name: upkeep.Chores(tmp_path / name, Retention()) for name in ("outer", "nested")}
    started = log_while_threads_are_made(monkeypatch, upkeep, lambda name: minded.soon(chores[name]))
    minded.soon(chores["outer"])

    assert minded.settle(60)
    assert len(started) == 1

    for one in chores.values():
        minded.drop(one)

    started[0].join(60)
    assert not started[0].is_alive()


class Thing:
    """What is visited."""
