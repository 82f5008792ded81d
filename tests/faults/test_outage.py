"""An hour without a hub at 1 000 records a second, compressed in time: memory is flat, the spool stays within its cap.

Each record that could not be kept is counted and told. LOGHUB_TEST_OUTAGE gives the records; 3600000 are the hour.
"""

import json
import os
import re
from collections import Counter
from pathlib import Path

from processes import free_port, run_python
from scripted_hub import scripted_hub

RECORDS = int(os.environ.get("LOGHUB_TEST_OUTAGE", "200000"))
_CAP = 16_000_000
_MOST_GROWTH = 8_000_000  # bytes; the records of each tenth are as much already

APP = """
import json, logging, os, sys
from pathlib import Path
import loghub

records, cap, spool = int(os.environ["RECORDS"]), os.environ["CAP"], Path(os.environ["SPOOL"])
handler = loghub.RemoteHandler(os.environ["URL"], spool=str(spool), spool_size=cap, exit_deadline="0 s")
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(handler)


def own_memory():
    fields = dict(line.split(":") for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
    return int(fields["Anonymous"].split()[0]) * 1024


def on_disk():
    return sum(path.stat().st_size for path in spool.glob("v1/**/*") if path.is_file())


def some(count):
    for _ in range(count):
        some.number += 1
        log.info("%d", some.number)

some.number = 0
some(records // 10)
start, largest = own_memory(), on_disk()

for _ in range(90):
    some(records // 100)
    largest = max(largest, on_disk())

counts = handler.counters
print(json.dumps({"grown": own_memory() - start, "largest": largest, "appended": counts.appended,
                  "dropped": counts.dropped, "queued": counts.queued}))
"""

NEXT = """
import logging, os
import loghub

handler = loghub.RemoteHandler(os.environ["URL"], spool=os.environ["SPOOL"], linger="5 ms")
logging.getLogger("shop").addHandler(handler)
logging.getLogger("shop").error("again")
assert handler.flush(60)

while handler.counters.queued:
    handler.flush(1)
"""


def test_an_outage_takes_no_more_than_the_cap_and_each_loss_is_told(tmp_path: Path) -> None:
    spool = str(tmp_path / "spool")
    gone = f"http://127.0.0.1:{free_port()}"
    options = {"URL": gone, "SPOOL": spool, "CAP": str(_CAP), "RECORDS": str(RECORDS)}
    found = json.loads(run_python(APP, cwd=tmp_path, timeout=max(600, RECORDS // 2000), **options).stdout)
    assert found["largest"] <= _CAP
    assert found["grown"] < _MOST_GROWTH
    assert found["dropped"] > 0
    assert found["appended"] == found["dropped"] + found["queued"]

    with scripted_hub() as hub:
        run_python(NEXT, cwd=tmp_path, timeout=max(200, RECORDS // 2000), URL=hub.url, SPOOL=spool)
        messages = Counter(hub.messages)

    told = [re.fullmatch(r"(\d+) records dropped, seq .*", message) for message in messages]
    numbers = {int(message) for message in messages if message.isdigit()}
    assert set(messages.values()) == {1}
    assert max(numbers) == RECORDS
    # What tells of a loss is a record too, which may have been dropped in its turn, and is told then.
    assert len(messages) - 1 + sum(int(loss[1]) for loss in told if loss) == found["appended"]
