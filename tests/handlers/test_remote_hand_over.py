"""`send: false`: a process only spools, and leaves its records to another one, also while it lives."""

import logging
from pathlib import Path
from typing import Any

from loghub.handlers.remote import RemoteHandler
from loghub.handlers.spool import Settings, Spool

from processes import run_python
from scripted_hub import scripted_hub, wait_until


def spooling(folder: Path, url: str, **options: Any) -> RemoteHandler:
    return RemoteHandler(url, spool=str(folder), send=False, **options)


def left_in(folder: Path) -> list[bytes]:
    """Take over what is there, as another process does."""
    spool = Spool(Settings(folder, "http://127.0.0.1:9"))
    spool.tend()
    found: list[bytes] = []

    while (batch := spool.take(1000, 10_000_000)) is not None:
        found += batch.lines
        spool.settle_acked(len(batch.lines))

    spool.tend()
    spool.close()
    return found


def test_records_are_left_to_another_process_while_this_one_lives_and_are_not_sent(tmp_path: Path) -> None:
    with scripted_hub() as hub:
        handler = spooling(tmp_path, hub.url)
        assert not handler.sends
        assert handler.guarantee == "process"
        found: list[bytes] = []

        for number in range(3):
            handler.handle(logging.makeLogRecord({"msg": f"record {number}"}))
            wait_until(lambda: bool(left := left_in(tmp_path)) and not found.extend(left))  # type: ignore[func-returns-value]

        assert [b"record %d" % number in line for number, line in enumerate(found)] == [True] * 3
        assert not hub.requests
        handler.close()


def test_flush_leaves_them_at_once(tmp_path: Path) -> None:
    handler = spooling(tmp_path, "http://127.0.0.1:9")
    handler.handle(logging.makeLogRecord({"msg": "x"}))
    assert handler.flush(5)
    assert len(left_in(tmp_path)) == 1
    handler.close()


def test_exit_leaves_them_and_says_nothing(tmp_path: Path) -> None:
    code = f"""
    import logging, sys
    from loghub.handlers.remote import RemoteHandler
    logging.getLogger().addHandler(RemoteHandler("http://127.0.0.1:9", spool={str(tmp_path / "spool")!r}, send=False))
    for n in range(100): logging.getLogger().warning("record %d", n)
    """
    assert run_python(code, cwd=tmp_path).stderr == ""
    assert len(left_in(tmp_path / "spool")) == 100
