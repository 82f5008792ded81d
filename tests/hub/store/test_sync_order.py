"""The order on the disk: bytes are written, then synced, then the call returns."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from store_batches import START_US, batch

from loghub.hub.store import durable
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.durable import GrowingFile


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is written, cut and synced, with the name of the file, in order; the real calls are made."""
    seen: list[tuple[str, str]] = []

    def recorded(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(fd: int, *arguments: object) -> object:
            path = Path(f"/proc/self/fd/{fd}").readlink()
            result = real(fd, *arguments)
            seen.append((name, path.name))
            return result

        return call

    monkeypatch.setattr(os, "pwrite", recorded("write", os.pwrite))
    monkeypatch.setattr(os, "ftruncate", recorded("cut", os.ftruncate))
    monkeypatch.setattr(os, "fsync", recorded("sync", os.fsync))
    monkeypatch.setattr(durable, "_sync_data", recorded("sync", durable._sync_data))
    return seen


def test_an_append_returns_behind_the_sync_of_its_bytes(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    store = DuckStore(tmp_path, keep_us=2**60, clock_us=lambda: START_US)
    log = "0000000000000001.ndjson"

    for first in (1, 4):
        calls.clear()
        store.append([batch(first, 3)])
        of_log = [name for name, path in list(calls) if path == log]
        assert of_log == ["write", "sync"]

    store.close()


def test_batches_that_come_together_share_a_sync(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    store = DuckStore(tmp_path, keep_us=2**60, clock_us=lambda: START_US)
    calls.clear()
    store.append([batch(1, 3), batch(4, 3)])
    store.close()

    assert calls == [("write", "0000000000000001.ndjson"), ("sync", "0000000000000001.ndjson")]


def test_quarantined_lines_are_synced_in_front_of_the_log(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    store = DuckStore(tmp_path, keep_us=2**60, clock_us=lambda: START_US)
    calls.clear()
    store.append([batch(1, 3, bad=[2])])
    store.close()
    both = ("quarantine.ndjson", "0000000000000001.ndjson")

    assert calls == [(name, path) for path in both for name in ("write", "sync")]


def test_a_new_log_file_is_followed_by_a_sync_of_its_folder(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    store = DuckStore(tmp_path, keep_us=2**60, clock_us=lambda: START_US)
    assert ("sync", "wal") in calls
    calls.clear()
    GrowingFile(tmp_path / "new").close()
    store.close()

    assert calls == [("sync", tmp_path.name)]


def test_an_append_that_cannot_sync_is_refused_and_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DuckStore(tmp_path, keep_us=2**60, clock_us=lambda: START_US)

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "_sync_data", fail)

        with pytest.raises(OSError, match="Input/output"):
            store.append([batch(1, 3)])

    assert store.count() == 0
    (answer,) = store.append([batch(1, 3)])
    assert answer.accepted == 3
    store.close()


def test_a_replaced_file_is_synced_before_its_name_and_the_folder_after(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    durable.replace_file(tmp_path / "marks.json", b"{}")

    draft = "marks.json.tmp"
    assert calls == [("sync", tmp_path.name), ("write", draft), ("sync", draft), ("sync", tmp_path.name)]
