"""A process that gevent has patched logs to a hub, with a spool and without one, and ends: the counts are exact."""

from collections import Counter
from pathlib import Path

import pytest

from processes import HubProcess, run_python

GREENLETS, EACH = 20, 50

APP = f"""
import gevent.monkey
gevent.monkey.patch_all()

import logging, os, signal, threading
import gevent
import loghub

handler = loghub.RemoteHandler(linger="5 ms", exit_deadline="60 s")  # where to: LOGHUB_URL and LOGHUB_SPOOL say
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(handler)


def chat(who):
    for number in range({EACH}):
        log.info("%d.%d", who, number)
        gevent.sleep(0.001)


started = threading.Thread(target=chat, args=({GREENLETS},))  # a greenlet too
started.start()
gevent.joinall([gevent.spawn(chat, who) for who in range({GREENLETS})])
started.join()
ticks = 0


def tick():
    global ticks

    while True:
        ticks += 1
        gevent.sleep(0.001)


other = gevent.spawn(tick)
hub = int(os.environ["HUB_PID"])
os.kill(hub, signal.SIGSTOP)
log.info("last")

while ticks < 20:
    before = ticks
    assert not handler.flush(0.5)
    assert ticks > before, "the other greenlets stood still while one waited for the hub"

os.kill(hub, signal.SIGCONT)
assert handler.flush(60), handler.counters
counted = handler.counters
assert counted.appended == counted.acked == {GREENLETS + 1} * {EACH} + 1, counted
log.info("at exit")
"""


@pytest.mark.parametrize("spool", ["", "spool"])
def test_greenlets_deliver_each_record_once_and_wait_for_nobody(tmp_path: Path, spool: str) -> None:
    with HubProcess(tmp_path / "hub") as hub:
        where = spool and str(tmp_path / spool)
        run_python(APP, cwd=tmp_path, HUB_PID=str(hub.pid), LOGHUB_URL=hub.url, LOGHUB_SPOOL=where)
        expected = {f"{who}.{number}": 1 for who in range(GREENLETS + 1) for number in range(EACH)}
        expected |= {"last": 1, "at exit": 1}
        hub.wait_for_events("", len(expected))
        assert Counter(event["message"] for event in hub.events()) == expected
