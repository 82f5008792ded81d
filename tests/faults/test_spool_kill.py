"""Applications killed by SIGKILL: what their calls had returned for is in a real hub, once, sent by who comes next."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from processes import HubProcess, empty, run_python

KILLS = int(os.environ.get("LOGHUB_TEST_KILLS", "6"))
"""How many processes are killed; a longer series takes a second for each."""

APPLICATION = """
import logging, os, sys
import loghub

handler = loghub.RemoteHandler(sys.argv[1], spool=sys.argv[2], linger="5 ms")
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(handler)
done = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
number = 0

while True:
    log.info("line", extra={"who": sys.argv[4], "number": number})
    os.write(done, b"%s %d\\n" % (sys.argv[4].encode(), number))  # the call has returned
    number += 1
"""

HEIR = """
import logging
import time
import loghub

handler = loghub.RemoteHandler({url!r}, spool={spool!r}, linger="5 ms", exit_deadline="100 s")
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(handler)
log.info("heir", extra={{"who": "heir", "number": 0}})
assert handler.flush(60)
deadline = time.monotonic() + 60
while handler.counters.queued and time.monotonic() < deadline:
    time.sleep(0.01)
print(handler.counters.queued, handler.counters.dropped)
"""


def killed_at_random(hub: HubProcess, tmp_path: Path, name: str, chance: random.Random) -> None:
    script = tmp_path / "application.py"
    script.write_text(APPLICATION)
    done = tmp_path / "done"
    command = [sys.executable, str(script), hub.url, str(tmp_path / "spool"), str(done), name]
    process = subprocess.Popen(command)
    before = done.stat().st_size if done.exists() else 0
    deadline = time.monotonic() + 60

    while not done.exists() or done.stat().st_size == before:
        assert time.monotonic() < deadline, "the application does not log"
        time.sleep(0.005)

    time.sleep(chance.uniform(0, 0.3))
    process.send_signal(signal.SIGKILL)
    process.wait()


def expected(tmp_path: Path) -> Counter[tuple[str, int]]:
    lines = [line.split() for line in (tmp_path / "done").read_text().splitlines()]
    return Counter((name, int(number)) for name, number in lines)


def test_all_that_was_logged_before_kill_9_is_in_the_hub_once(tmp_path: Path) -> None:
    chance = random.Random(5)

    with HubProcess(tmp_path / "hub") as hub:
        for number in range(KILLS):
            killed_at_random(hub, tmp_path, f"app{number}", chance)

        answer = run_python(HEIR.format(url=hub.url, spool=str(tmp_path / "spool")), cwd=tmp_path)
        assert answer.stdout.split() == ["0", "0"], answer.stderr
        empty(tmp_path / "spool", hub.url)
        found = Counter((event["who"], event["number"]) for event in hub.events("logger:shop"))

    promised = expected(tmp_path)
    assert not promised - found, "lost"
    assert set(found.values()) == {1}, "doubled"
    # A record whose call had not returned may be there: at most one for each process that was killed.
    assert len(found - promised) <= KILLS + 1
