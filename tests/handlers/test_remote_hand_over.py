"""`send: false`: a process only spools, and leaves its records to another one, also while it lives."""

import logging
import threading
from pathlib import Path
from typing import Any

from loghub.handlers.delivery import Answer
from loghub.handlers.remote import RemoteHandler
from loghub.handlers.spool import POLICIES, Settings, Spool
from loghub.handlers.worker import Engine, Limits
from loghub.wire.batch import Batch

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
    assert handler.flush(60)
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


class Nowhere:
    """Carries nothing: who hands over does not send."""

    def send(self, batch: Batch, timeout: float) -> Answer:
        raise AssertionError(batch, timeout)

    def close(self) -> None:
        pass

    def abandon(self) -> None:
        pass


class Watched(Spool):
    """Counts how often it was asked whether what was left is fetched."""

    asked = 0

    def was_fetched(self) -> bool:
        self.asked += 1
        return super().was_fetched()


def test_while_nobody_fetches_records_stay_in_one_place_and_it_goes_on_when_somebody_does(tmp_path: Path) -> None:
    spool = Watched(Settings(tmp_path, "http://127.0.0.1:9", send=False))
    engine = Engine("Test", Limits(hand_over=0.01), lambda _: spool, Nowhere)
    engine.attach(spool)
    engine.append(b"{}\n")
    wait_until(lambda: not engine.counters.queued)

    for number in range(5):
        asked = spool.asked
        engine.append(b'{"n": %d}\n' % number)
        wait_until(lambda asked=asked: spool.asked > asked + 1)  # type: ignore[misc]

    assert len(list(tmp_path.glob("v1/*"))) == 2
    assert left_in(tmp_path) == [b"{}\n"]
    found: list[bytes] = []

    def all_came() -> bool:
        found.extend(left_in(tmp_path))
        return len(found) == 5

    wait_until(all_came)
    engine.detach(spool)


class Slow(Spool):
    """Lies on a disk that is stalled while it is let go of."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.entered, self.goes_on = threading.Event(), threading.Event()

    def _put_down(self) -> None:
        self.entered.set()
        assert self.goes_on.wait(20)
        super()._put_down()


def test_nobody_who_logs_waits_for_a_disk_that_is_stalled_during_the_hand_over(tmp_path: Path) -> None:
    spool = Slow(Settings(tmp_path, "http://127.0.0.1:9", send=False, adopt_every=60))
    engine = Engine("Test", Limits(hand_over=0.01), lambda _: spool, Nowhere)
    engine.attach(spool)
    engine.append(b"before\n")
    assert spool.entered.wait(20)
    caller = threading.Thread(target=engine.append, args=[b"meanwhile\n"])
    caller.start()
    caller.join(10)
    assert not caller.is_alive()
    assert engine.counters.queued == 1
    assert left_in(tmp_path) == []  # it is not free yet
    spool.goes_on.set()
    found: list[bytes] = []

    def has_come() -> bool:
        found.extend(left_in(tmp_path))
        return found == [b"before\n", b"meanwhile\n"]

    wait_until(has_come)
    engine.detach(spool)


def test_child_of_a_fork_keeps_nothing_of_what_is_just_let_go_of(tmp_path: Path) -> None:
    spool = Spool(Settings(tmp_path, "http://127.0.0.1:9", send=False))
    assert spool.append(b"a\n")
    put_down = spool.let_go()
    spool.abandon()  # as in the child
    assert left_in(tmp_path) == [b"a\n"]
    put_down()


def test_what_is_left_takes_no_more_of_the_disk_than_what_is_written(tmp_path: Path) -> None:
    handler = spooling(tmp_path, "http://127.0.0.1:9", spool_size="1 MB")

    for number in range(40):  # in segments of 64 KiB they would be too much
        handler.handle(logging.makeLogRecord({"msg": str(number)}))
        assert handler.flush(60)

    assert not handler.counters.dropped
    assert sum(path.stat().st_size for path in tmp_path.glob("v1/*/seg-*")) < 40 * 1024
    handler.close()
    assert len(left_in(tmp_path)) == 40


def test_every_segment_of_what_was_left_is_found_whole(tmp_path: Path) -> None:
    spool = Spool(Settings(tmp_path, "http://127.0.0.1:9", size=8_000_000))
    line = b"x" * 400_000 + b"\n"
    assert all(spool.write(line, 20) or spool.append(line) for _ in range(3))
    spool.close()
    assert left_in(tmp_path) == [line] * 3


def test_who_only_writes_sees_that_others_have_made_room(tmp_path: Path) -> None:
    """While nobody fetches what it left it begins no new place, so it has to look again by itself."""
    settings = Settings(tmp_path, "http://127.0.0.1:9", 400_000, POLICIES["drop_new"], send=False, adopt_every=0)
    line = b"x" * 30_000 + b"\n"
    other, spool = Spool(settings), Spool(settings)

    while other.append(line):
        pass

    other.close()
    assert not spool.append(line)
    assert left_in(tmp_path)
    spool.tend()
    assert spool.append(line)
    spool.close()
