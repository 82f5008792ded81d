"""Threads that append without a lock while the disk fills up and has room again, the file is rolled over, and children
are forked: the account holds to the line, and the lines of each thread are in their order.
"""

import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loghub.event.encode import decode
from loghub.handlers.json_file import JSONFileHandler
from loghub.handlers.upkeep import upkeep

from faults.disk import fill, small_disk
from log_writers import raw_lines_of

SECONDS = 2.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "32m") as folder:
        yield folder


def fill_and_free(disk: Path, goes_on: Callable[[], bool]) -> None:
    while goes_on():
        filler = fill(disk)
        time.sleep(0.1)  # the trouble lasts a while
        filler.unlink()
        time.sleep(0.2)


def numbers_by_thread(log: Path) -> tuple[dict[str, list[int]], int]:
    """Give the numbers of each thread's lines, and how many lines the file says are lost."""
    found: dict[str, list[int]] = defaultdict(list)
    told = 0

    for line in raw_lines_of(log):
        try:
            event = decode(line)
        except ValueError:  # the fragment of a write that was cut short
            continue

        name, _, number = str(event["message"]).partition(":")

        if "lost_lines" in event:  # children tell of their own
            told += int(str(event["lost_lines"])) * (event["process"] == os.getpid())
        else:
            found[name].append(int(number))

    return found, told


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("waiting", [1_000_000, 20])
def test_threads_lose_nothing_uncounted_while_the_disk_fills_up_again_and_again(waiting: int, disk: Path) -> None:
    log = disk / "app.jsonl"
    handler = JSONFileHandler(log, rotate="40 KB", compress="gz", waiting=waiting, waiting_bytes="500 MB")
    until = time.monotonic() + SECONDS
    sent: dict[str, int] = {}

    def goes_on() -> bool:
        is_late = time.monotonic() > until
        return not is_late or (waiting < 1000 and not handler.lost and time.monotonic() < until + 60)

    def write(name: str, most: int = 1_000_000) -> None:
        number = 0

        while goes_on() and number < most:
            handler.handle(logging.makeLogRecord({"msg": f"{name}:{number}"}))
            number += 1

            if number % 50 == 0:
                time.sleep(0.004)  # lets the others log, and the disk not overflow by lines

        sent[name] = number

    threads = [threading.Thread(target=write, args=(f"t{number}",)) for number in range(4)]
    threads.append(threading.Thread(target=fill_and_free, args=(disk, goes_on)))
    children: list[int] = []

    for thread in threads:
        thread.start()

    while goes_on():
        time.sleep(0.2)
        child = os.fork()

        if child == 0:
            write(f"child{len(children)}", 100)
            os._exit(0)

        children.append(child)

    for thread in threads:
        thread.join()

    for child in children:
        os.waitpid(child, 0)

    handler.flush()
    handler.handle(logging.makeLogRecord({"msg": "end:0"}))
    handler.close()
    assert upkeep().settle(60)
    found, told = numbers_by_thread(log)
    missing = sum(count - len(found[name]) for name, count in sent.items())

    assert all(numbers == sorted(set(numbers)) for numbers in found.values()), "doubled, or out of order"
    assert missing == handler.lost == told
    assert (missing > 0) == (waiting < 1000)
    assert found["end"] == [0]
