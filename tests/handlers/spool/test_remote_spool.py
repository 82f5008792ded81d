"""RemoteHandler with a spool: what arrives, whose a directory is, and what a fork, an exit and `send: false` do."""

import json
import logging
import logging.config
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loghub.errors import ConfigError
from loghub.handlers.delivery import Pace
from loghub.handlers.remote import RemoteHandler
from loghub.handlers.spool import dead_records
from loghub.wire.rejection import event_id

from processes import run_python
from scripted_hub import Received, ScriptedHub, hang, scripted_hub, status, wait_until


class QuickHandler(RemoteHandler):
    """Retries in milliseconds."""

    def _pace(self) -> Pace:
        return Pace(0.01, 0.02)


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    with scripted_hub() as made:
        yield made


def attached(url: str, spool: Path, **options: Any) -> tuple[logging.Logger, QuickHandler]:
    handler = QuickHandler(url, **{"spool": spool, "linger": "5 ms", "exit_deadline": "100 ms", **options})
    logger = logging.Logger("shop")  # noqa: LOG001 (one that no other test sees)
    logger.addHandler(handler)
    return logger, handler


def left(folder: Path) -> list[Path]:
    return list((folder / "v1").iterdir()) if (folder / "v1").exists() else []


def test_records_arrive_in_order_and_nothing_is_left(hub: ScriptedHub, tmp_path: Path) -> None:
    logger, handler = attached(hub.url, tmp_path / "spool")
    assert not (tmp_path / "spool").exists()  # a process that logs nothing leaves nothing

    for number in range(2000):
        logger.info("%d", number)

    assert handler.guarantee == "process"
    assert handler.flush(60)
    assert hub.messages == [str(number) for number in range(2000)]
    handler.close()
    wait_until(lambda: not left(tmp_path / "spool"))
    logger.info("late")
    assert handler.flush(60)
    assert len(hub.stored) == 2001
    handler.close()


def test_no_spool_is_best_effort_and_record_durability_is_power(hub: ScriptedHub, tmp_path: Path) -> None:
    plain = QuickHandler(hub.url)
    assert plain.guarantee == "best-effort"
    _, handler = attached(hub.url, tmp_path, durability="record")
    assert handler.guarantee == "power"
    plain.close()
    handler.close()


def test_what_the_hub_refuses_lies_in_dead(tmp_path: Path) -> None:
    with scripted_hub(otherwise=status(422)) as hub:
        logger, handler = attached(hub.url, tmp_path)
        logger.info("poison")
        assert handler.flush(60)
        assert handler.counters.dead == 1
        handler.close()
        wait_until(lambda: any(dead_records(tmp_path)))
        (record,) = dead_records(tmp_path)
        assert b"poison" in record.line
        assert "422" in record.reason


def test_what_a_success_rejects_lies_in_dead(tmp_path: Path) -> None:
    def picky(hub: ScriptedHub, connection: socket.socket, received: Received) -> bool:
        name = event_id(received.identity.source, received.identity.first + 1)
        body = json.dumps({"rejected": [{"id": name, "error": "odd"}]}).encode()
        return status(200, body=body)(hub, connection, received)

    with scripted_hub(otherwise=picky) as hub:
        logger, handler = attached(hub.url, tmp_path, linger="200 ms")

        for word in ("a", "odd one", "b"):
            logger.info(word)

        assert handler.flush(10)
        assert (handler.counters.acked, handler.counters.dead, len(hub.requests)) == (2, 1, 1)
        handler.close()
        wait_until(lambda: any(dead_records(tmp_path)))
        assert [b"odd one" in record.line for record in dead_records(tmp_path)] == [True]


def test_two_destinations_for_one_directory_are_an_error(hub: ScriptedHub, tmp_path: Path) -> None:
    _, handler = attached(hub.url, tmp_path)
    _, same = attached(hub.url, tmp_path, batch_records=7)

    with pytest.raises(ConfigError, match=rf"spool=.*belongs to the handler for {hub.url}; give each destination"):
        attached("http://127.0.0.1:9", tmp_path)

    handler.close()
    same.close()


def test_another_account_at_the_same_address_needs_a_directory_of_its_own(hub: ScriptedHub, tmp_path: Path) -> None:
    _, handler = attached(hub.url, tmp_path, token="first-token")

    with pytest.raises(ConfigError, match=rf"belongs to the handler for {hub.url} with other options") as raised:
        attached(hub.url, tmp_path, token="other-token")

    assert "-token" not in str(raised.value)
    handler.close()


def test_what_waits_for_a_token_that_was_withdrawn_goes_out_with_the_new_one(tmp_path: Path) -> None:
    with scripted_hub(otherwise=status(401)) as hub:
        logger, handler = attached(hub.url, tmp_path, token="old-token")
        logger.info("waits")
        wait_until(lambda: bool(hub.requests))
        hub.otherwise = status(200)
        handler.close()
        _, renewed = attached(hub.url, tmp_path, token="new-token")
        logger.removeHandler(handler)
        logger.addHandler(renewed)
        logger.info("new")
        wait_until(lambda: {"waits", "new"} <= set(hub.messages))
        assert "new-token" in hub.requests[-1].headers["authorization"]
        renewed.close()


@pytest.mark.parametrize("reachable", [True, False])
def test_a_changed_address_takes_what_is_left_along(tmp_path: Path, reachable: bool) -> None:
    def configured(url: str) -> dict[str, Any]:
        handler = {"class": "loghub.RemoteHandler", "url": url, "spool": str(tmp_path), "linger": "5 ms"}
        root = {"handlers": ["remote"], "level": "INFO"}
        return {"version": 1, "disable_existing_loggers": False, "handlers": {"remote": handler}, "root": root}

    release = threading.Event()

    with scripted_hub() as new, scripted_hub(otherwise=hang(release) if reachable else status(401)) as old:
        logging.config.dictConfig(configured(old.url))
        logging.getLogger("shop").info("a")
        old.wait_for(lambda: len(old.requests) == 1)
        logging.getLogger("shop").info("b")
        logging.config.dictConfig(configured(new.url))
        logging.getLogger("shop").info("c")
        release.set()
        # What was under way comes to the old hub, if it takes it; all the rest to the new one.
        new.wait_for(lambda: {"b", "c"} <= set(new.messages))
        assert {"a", "b", "c"} == set(new.messages) | set(old.messages)
        (handler,) = logging.getLogger().handlers
        assert isinstance(handler, RemoteHandler)
        wait_until(lambda: not handler.counters.queued)


def test_a_child_of_a_fork_spools_for_itself(hub: ScriptedHub, tmp_path: Path) -> None:
    code = f"""
        import logging, os, sys
        import loghub
        handler = loghub.RemoteHandler({hub.url!r}, spool={str(tmp_path / "spool")!r}, linger="10 s")
        log = logging.getLogger("shop")
        log.setLevel("INFO")
        log.addHandler(handler)
        log.info("parent")
        child = os.fork()
        if child == 0:
            log.info("child")
            assert handler.flush(60)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        log.info("parent again")
    """
    run_python(code, cwd=tmp_path)
    assert sorted(hub.messages) == ["child", "parent", "parent again"]
    assert len({source for source, _ in hub.stored}) == 2


def test_a_process_killed_before_it_could_send_is_survived_by_its_records(tmp_path: Path, hub: ScriptedHub) -> None:
    spool = tmp_path / "spool"
    child = os.fork()

    if child == 0:
        logger, _ = attached("http://127.0.0.1:9", spool)
        logger.info("last words")
        os.kill(os.getpid(), signal.SIGKILL)

    os.waitpid(child, 0)
    logger, handler = attached(hub.url, spool)
    logger.info("next")
    hub.wait_for(lambda: sorted(hub.messages) == ["last words", "next"])
    wait_until(lambda: not handler.counters.queued)
    handler.close()


ORPHAN = """
    import logging, os, signal, sys, threading
    import loghub
    handler = loghub.RemoteHandler("http://127.0.0.1:9", spool="spool")
    log = logging.getLogger("shop")
    log.setLevel("INFO")
    log.addHandler(handler)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL  # nobody asked for a handler
    log.info("of the parent")
    child = os.fork()
    if child == 0:
        os.setsid()
        print(os.getpid(), flush=True)
        signal.pause()
    threading.Event().wait(60)
"""


def test_what_a_process_ended_by_sigterm_has_left_is_taken_over_while_its_child_lives(
    hub: ScriptedHub, tmp_path: Path
) -> None:
    """The child has a copy of each of its parent's descriptors, and so of the lock, unless it lets go of them."""
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent(ORPHAN))
    pipe = subprocess.PIPE

    with subprocess.Popen(
        [sys.executable, str(script)], cwd=tmp_path, stdout=pipe, stderr=subprocess.DEVNULL
    ) as parent:
        try:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
        finally:
            parent.terminate()
            assert parent.wait(20) == -signal.SIGTERM

        try:
            logger, handler = attached(hub.url, tmp_path / "spool")
            logger.info("next")
            hub.wait_for(lambda: sorted(hub.messages) == ["next", "of the parent"])
            handler.close()
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"spool_size": "10 kB"}, "256 KiB at least"),
        ({"overflow": "drop"}, "drop_oldest, drop_new, block, by_level"),
        ({"durability": "disk"}, "process, interval, batch, record"),
        ({"overflow_timeout": "soon"}, "overflow_timeout"),
        ({"spool": __file__}, "give a directory"),
        ({"spool": "${HOME}/spool"}, "loghub.configure"),
        ({"spool": None, "send": False}, "name a directory as spool"),
    ],
)
def test_a_wrong_option_says_what_to_write(options: dict[str, Any], word: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=word):
        RemoteHandler("http://127.0.0.1:9", **{"spool": tmp_path, **options})


def test_records_come_to_the_disk_while_a_request_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that sends waits for the hub then, for as long as `timeout`."""
    synced: list[str] = []
    really = os.fdatasync

    def noted(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        really(descriptor)

    monkeypatch.setattr(os, "fdatasync", noted)
    release = threading.Event()

    with scripted_hub(hang(release)) as hub:
        logger, handler = attached(hub.url, tmp_path, durability="interval", timeout="30 s")
        logger.info("a")
        hub.wait_for(lambda: len(hub.requests) == 1)
        before = len(synced)
        logger.info("b")
        wait_until(lambda: sum("/seg-" in path for path in synced[before:]) >= 2)  # the first may have been under way
        release.set()
        assert handler.flush(10)
        handler.close()


def test_a_call_that_blocks_goes_on_when_there_is_room(tmp_path: Path) -> None:
    release = threading.Event()

    with scripted_hub(hang(release)) as hub:
        options = {"spool_size": "256 KiB", "overflow": "block", "overflow_timeout": "60 s", "batch_records": 1}
        logger, handler = attached(hub.url, tmp_path, **options)
        written: list[int] = []

        def log() -> None:
            for number in range(60):  # more than there is room for
                logger.info("%d %s", number, "x" * 10_000)
                written.append(number)

        writer = threading.Thread(target=log)
        writer.start()
        hub.wait_for(lambda: len(hub.requests) == 1)
        wait_until(lambda: len(written) > 5 and _stays(lambda: len(written)))
        assert len(written) < 60
        assert handler.counters.dropped == 0
        release.set()
        writer.join(30)
        assert not writer.is_alive()
        assert handler.flush(20)
        assert [int(message.split()[0]) for message in hub.messages] == list(range(60))
        assert handler.counters.dropped == 0
        handler.close()


def _stays(value: Callable[[], int]) -> bool:
    """Tell whether something is as it was, a moment later."""
    before = value()
    time.sleep(0.1)
    return value() == before


def test_a_full_spool_that_blocks_waits_for_room_and_then_counts(tmp_path: Path) -> None:
    release = threading.Event()

    with scripted_hub(hang(release)) as hub:
        options = {"spool_size": "256 KiB", "overflow": "block", "overflow_timeout": "50 ms", "batch_records": 1}
        logger, handler = attached(hub.url, tmp_path, **options)

        while not handler.counters.dropped:
            logger.info("x" * 10_000)

        threading.Timer(0.02, release.set).start()
        written = handler.counters.appended
        wait_until(lambda: handler.counters.acked > 5)
        logger.info("has room again")
        assert handler.flush(60)
        counts = handler.counters
        assert counts.appended == written + 2  # this one, and the event that tells of the loss
        assert counts.acked == counts.appended - counts.dropped
        handler.close()
