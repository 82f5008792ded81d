"""What a hub knows of applications that die, come again, and lose records: real processes, a real hub."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from processes import HubProcess, run_python, wait_for

DIE = """
import logging, os, signal, loghub
handler = loghub.RemoteHandler(os.environ["URL"], spool="spool", linger="10 s")
logger = logging.getLogger("shop")
logger.addHandler(handler)
for n in range(30): logger.error("first %d", n)
assert handler.flush(60)
for n in range(20): logger.error("second %d", n)
os.kill(os.getpid(), signal.SIGKILL)
"""

COME_AGAIN = """
import logging, os, loghub
handler = loghub.RemoteHandler(os.environ["URL"], spool="spool", linger="5 ms")
logging.getLogger("shop").addHandler(handler)
logging.getLogger("shop").error("third")
assert handler.flush(60)
"""

OVERFLOW = """
import logging, os, loghub
handler = loghub.RemoteHandler(os.environ["URL"], queue=10, linger="60 s", batch_records=1000)
logging.getLogger("shop").addHandler(handler)
for n in range(30): logging.getLogger("shop").error("line %d", n)
assert handler.flush(60)
"""


def sources(hub: HubProcess) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hub.get("sources")["sources"]
    return found


def account(source: dict[str, Any]) -> tuple[int, ...]:
    return tuple(source[name] for name in ("sent", "acked", "queued", "dead", "dropped"))


def test_what_a_dead_process_left_is_added_to_its_own_account(hub: HubProcess, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):  # it kills itself
        run_python(DIE, cwd=tmp_path, URL=hub.url)

    run_python(COME_AGAIN, cwd=tmp_path, URL=hub.url)
    dead = wait_for(lambda: [one for one in sources(hub) if one["acked"] == 50])
    (alive,) = [one for one in sources(hub) if one["acked"] != 50]

    assert account(dead[0]) == (50, 50, 0, 0, 0)
    assert account(alive) == (1, 1, 0, 0, 0)
    assert dead[0]["process"] != alive["process"]
    assert dead[0]["gaps"] == alive["gaps"] == []
    assert abs(alive["skew_ms"]) < 10_000


def test_records_dropped_before_the_first_batch_are_an_exact_gap_and_a_kill_forgets_nothing(
    hub: HubProcess, tmp_path: Path
) -> None:
    run_python(OVERFLOW, cwd=tmp_path, URL=hub.url)
    before = sources(hub)

    assert account(before[0]) == (30, 10, 0, 0, 20)
    assert [(gap["first"], gap["last"], gap["count"]) for gap in before[0]["gaps"]] == [(1, 20, 20)]

    hub.stop(signal.SIGKILL)
    hub.start()
    assert sources(hub) == before


REPLAYED = """
import logging, os, pathlib, loghub
from loghub.handlers.spool.dead import DeadRecord, add
handler = loghub.RemoteHandler(os.environ["URL"], spool="spool", linger="5 ms")
logger = logging.getLogger("shop")
logger.addHandler(handler)
for n in range(10): logger.error("first %d", n)
assert handler.flush(10)
(source,) = [path.name for path in pathlib.Path("spool/v1").iterdir()]
# As if number 5 had been refused: the hub's mark of this source is beyond it.
add(pathlib.Path("spool"), [DeadRecord(source, 5, 1.0, "HTTP 422", b'{"message":"replayed"}\\n')])
print(source)
"""


def test_dead_records_that_are_replayed_arrive_though_the_mark_of_their_source_is_beyond_them(
    hub: HubProcess, tmp_path: Path
) -> None:
    source = run_python(REPLAYED, cwd=tmp_path, URL=hub.url).stdout.strip()
    command = [sys.executable, "-m", "loghub.cli", "dead", "replay", "spool", "--url", hub.url]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "1 arrived, 0 were refused again, 0 are left\n"
    assert len(hub.events("message:replayed")) == 1
    assert {one["source"] == source: one["acked"] for one in sources(hub)} == {True: 10, False: 1}
