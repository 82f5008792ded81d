"""The spool on a disk that fills up, on one that cannot be written, and in a directory that many processes share."""

import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from loghub.handlers.remote import RemoteHandler

from faults.disk import fill, remount, small_disk
from processes import HubProcess, empty
from scripted_hub import scripted_hub, status, wait_until

MANY = """
import logging, sys
import loghub

handler = loghub.RemoteHandler(sys.argv[1], spool=sys.argv[2], linger="5 ms", exit_deadline="100 s")
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(handler)

for number in range(5000):
    log.info("line", extra={"who": sys.argv[3], "number": number})
"""


_TOLD = "No space left on device: records wait in memory"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "8m") as folder:
        yield folder


def attached(url: str, spool: Path) -> tuple[logging.Logger, RemoteHandler]:
    handler = RemoteHandler(url, spool=str(spool), linger="5 ms", exit_deadline="100 ms")
    logger = logging.Logger("shop")  # noqa: LOG001 (one that no other test sees)
    logger.addHandler(handler)
    return logger, handler


def test_a_full_disk_loses_nothing_and_is_used_again_when_it_has_room(disk: Path, told: list[str]) -> None:
    with scripted_hub() as hub:
        filler = fill(disk)
        logger, handler = attached(hub.url, disk / "spool")
        logger.info("while it is full")
        assert handler.guarantee == "best-effort"
        wait_until(lambda: any(_TOLD in sentence for sentence in told))
        filler.unlink()
        deadline = time.monotonic() + 60

        while handler.guarantee != "process":
            assert time.monotonic() < deadline
            logger.info("later")
            time.sleep(0.1)

        assert handler.flush(60)
        counts = handler.counters
        assert (counts.acked, counts.dropped, counts.queued) == (counts.appended, 0, 0)
        assert "while it is full" in hub.messages
        assert len(hub.stored) == counts.appended
        handler.close()
        wait_until(lambda: not list((disk / "spool" / "v1").iterdir()))


FULL = """
import logging, os, sys
import loghub

handler = loghub.RemoteHandler("http://127.0.0.1:9", spool=sys.argv[1], exit_deadline="0 s")
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(handler)
log.info("the segment is made")

with open(sys.argv[2], "wb", buffering=0) as filler:
    try:
        while True: filler.write(bytes(4096))
    except OSError:
        pass

for number in range(150):
    log.info("%d %s", number, "x" * 1000)

print(handler.guarantee, handler.counters.queued, handler.counters.dropped)
"""


def test_a_segment_that_was_made_is_written_to_though_the_disk_is_full_by_then(disk: Path, tmp_path: Path) -> None:
    """A sparse file that is mapped would kill the process here, by SIGBUS."""
    (tmp_path / "app.py").write_text(FULL)
    command = [sys.executable, str(tmp_path / "app.py"), str(disk / "spool"), str(disk / "filler")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "process 151 0\n"), done.stderr


def test_what_arrives_frees_a_disk_that_is_full(disk: Path) -> None:
    """Nothing had arrived when it filled up: there was nothing to note, and there is no room for a new file now."""
    with scripted_hub(otherwise=status(503)) as hub:
        logger, handler = attached(hub.url, disk / "spool")

        while sum(path.stat().st_size for path in disk.glob("spool/v1/*/seg-*")) < 3_000_000:
            logger.info("x" * 1000)

        fill(disk)
        hub.otherwise = status(200)
        wait_until(lambda: handler.counters.queued == 0)
        wait_until(lambda: os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize > 1_000_000)
        assert handler.counters.dropped == 0
        handler.close()


def test_a_read_only_file_system_is_no_trouble(disk: Path) -> None:
    remount(disk, "ro")

    with scripted_hub() as hub:
        logger, handler = attached(hub.url, disk / "spool")
        logger.info("all the same")
        assert handler.guarantee == "best-effort"
        assert handler.flush(60)
        assert hub.messages == ["all the same"]
        handler.close()


def test_eight_processes_share_a_directory_and_each_line_arrives_once(tmp_path: Path) -> None:
    script = tmp_path / "many.py"
    script.write_text(MANY)

    with HubProcess(tmp_path / "hub") as hub:
        command = [sys.executable, str(script), hub.url, str(tmp_path / "spool")]
        processes = [subprocess.Popen([*command, str(number)]) for number in range(8)]
        assert [process.wait(200) for process in processes] == [0] * 8
        empty(tmp_path / "spool", hub.url)
        found = Counter((event["who"], event["number"]) for event in hub.events("logger:shop"))

    assert found == Counter((str(who), number) for who in range(8) for number in range(5000))
