import json
from pathlib import Path

from served_hub import wait_until
from store_batches import START_US, batch

from loghub.hub.store.duck import DuckStore
from loghub.hub.store.quarantine import Quarantine


def test_a_file_that_is_too_large_loses_its_older_half(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.ndjson"
    quarantine = Quarantine(path, most_bytes=2000)

    for seq in range(1, 101):
        quarantine.append([batch(seq, 1, bad=[seq])])

    seqs = [json.loads(line)["seq"] for line in path.read_bytes().splitlines()]
    quarantine.close()

    assert path.stat().st_size <= 2000
    assert seqs == list(range(101 - len(seqs), 101))
    assert quarantine.dropped == 100 - len(seqs)


def seqs(path: Path) -> list[int]:
    return [json.loads(line)["seq"] for line in path.read_bytes().splitlines()]


def test_lines_that_came_too_long_ago_go_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.ndjson"
    quarantine = Quarantine(path)
    quarantine.append([batch(at, 1, bad=[at], received_us=START_US + at) for at in range(1, 11)])

    assert quarantine.expire(START_US + 3, slack_us=2) == 0
    assert quarantine.expire(START_US + 4, slack_us=2) == 3
    assert quarantine.expire(START_US + 6, slack_us=2) == 0
    assert seqs(path) == [4, 5, 6, 7, 8, 9, 10]
    quarantine.append([batch(11, 1, bad=[11], received_us=START_US + 11)])
    quarantine.close()

    again = Quarantine(path)
    assert again.expire(START_US + 10, slack_us=2) == 6
    assert again.expire(2**62, slack_us=0) == 2
    assert again.dropped == 0
    again.close()
    assert path.read_bytes() == b""


def test_what_people_have_put_there_does_not_expire(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.ndjson"
    path.write_bytes(b'a note\n{"source":"a","seq":1,"text":"no time"}\n')
    quarantine = Quarantine(path)
    quarantine.append([batch(1, 1, bad=[1])])

    assert quarantine.expire(2**62, slack_us=0) == 1
    assert quarantine.expire(2**62, slack_us=0) == 0
    quarantine.close()
    assert path.read_bytes() == b'a note\n{"source":"a","seq":1,"text":"no time"}\n'


def test_retention_by_age_bounds_the_quarantine_and_a_resend_brings_nothing_back(tmp_path: Path) -> None:
    now = [START_US]
    store = DuckStore(tmp_path, keep_us=1_000_000, clock_us=lambda: now[0])
    path = tmp_path / "quarantine.ndjson"
    store.append([batch(1, 4, bad=[2, 4])])
    now[0] += 900_000
    store.append([batch(5, 2, bad=[6], received_us=now[0])])
    assert seqs(path) == [2, 4, 6]

    now[0] += 300_000
    wait_until(lambda: seqs(path) == [6], 20)
    store.append([batch(1, 6, bad=[2, 4, 6])])
    assert seqs(path) == [6]
    store.close()
