"""A replay of dead records: what arrives leaves `dead/`, what is refused again stays, a break has no second effect."""

import socket
from pathlib import Path

import pytest

from loghub.handlers.delivery import Pace
from loghub.handlers.destination import Destination
from loghub.handlers.post import HTTPPost
from loghub.handlers.replay import Replayed, replay
from loghub.handlers.spool.dead import DeadRecord, add, dead_records

from scripted_hub import Act, Received, ScriptedHub, scripted_hub, status

OLD = "0123456789ab" * 2
QUICK = Pace(0.001, 0.002)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    add(tmp_path, [DeadRecord(OLD, seq, 1.0, "HTTP 422", b'{"message":"%d"}\n' % seq) for seq in (3, 4, 9, 20)])
    return tmp_path


def run(spool: Path, hub: ScriptedHub, patience: float = 10) -> Replayed:
    post = HTTPPost(Destination(hub.url))

    try:
        return replay(spool, post, pace=QUICK, patience=patience)
    finally:
        post.close()


def refusing(*messages: str) -> Act:
    def act(hub: ScriptedHub, connection: socket.socket, received: Received) -> bool:
        bad = any(f'"{message}"'.encode() in line for line in received.lines for message in messages)
        return status(422 if bad else 200)(hub, connection, received)

    return act


def left(spool: Path) -> list[int]:
    return [record.seq for record in dead_records(spool)]


def test_dead_records_arrive_under_a_new_source_and_are_gone(spool: Path) -> None:
    with scripted_hub() as hub:
        assert run(spool, hub) == Replayed(4, 0, 0)
        assert hub.messages == ["3", "4", "9", "20"]
        assert {source for source, _ in hub.stored} != {OLD}

    assert left(spool) == []
    assert not (spool / "dead" / "replay.json").exists()


def test_record_that_is_refused_again_stays(spool: Path) -> None:
    with scripted_hub(otherwise=refusing("9")) as hub:
        assert run(spool, hub) == Replayed(3, 1, 0, "HTTP 422")
        assert hub.messages == ["3", "4", "20"]

    assert left(spool) == [9]


def test_replay_waits_for_a_hub_that_is_busy(spool: Path) -> None:
    with scripted_hub(status(503), status(503)) as hub:
        assert run(spool, hub).acked == 4


@pytest.mark.parametrize("answer", [401, 503])
def test_replay_that_cannot_be_done_leaves_everything(spool: Path, answer: int) -> None:
    with scripted_hub(otherwise=status(answer)) as hub:
        assert run(spool, hub, patience=0.01) == Replayed(0, 0, 4, f"HTTP {answer}")

    assert left(spool) == [3, 4, 9, 20]


def test_replay_that_was_broken_off_goes_on_under_the_same_numbers(spool: Path) -> None:
    """The hub has stored all, but its answer is lost and the replay ends: the next one must have no second effect."""

    def stored_but_silent(hub: ScriptedHub, connection: socket.socket, received: Received) -> bool:
        hub.store(received)
        return status(401)(hub, connection, received)

    with scripted_hub(stored_but_silent) as hub:
        assert run(spool, hub).left == 4
        add(spool, [DeadRecord("f" * 24, 1, 2.0, "HTTP 400", b'{"message":"late"}\n')])
        assert run(spool, hub).acked == 4
        assert hub.messages == ["3", "4", "9", "20"]
        assert len({source for source, _ in hub.stored}) == 1
        assert run(spool, hub).acked == 1
        assert len({source for source, _ in hub.stored}) == 2

    assert left(spool) == []


def test_number_of_a_refused_record_is_not_used_again_after_a_break(spool: Path) -> None:
    """The hub's mark is beyond it: sent under that number, the record would pass for one that has arrived."""

    def mend(hub: ScriptedHub, connection: socket.socket, received: Received) -> bool:
        hub.otherwise = status(401)
        return status(200)(hub, connection, received)

    # 3 4 9 20 → 422 → 3 4 | 9 20 → 200, 422 → 9 | 20 → 422 (dead), then the hub wants another token
    with scripted_hub(status(422), status(200), status(422), status(422), otherwise=status(401)) as hub:
        assert run(spool, hub) == Replayed(2, 1, 1, "HTTP 401")
        hub.script.append(mend)
        assert run(spool, hub) == Replayed(1, 0, 0)
        assert hub.messages == ["3", "4", "20"]

    assert left(spool) == [9]


def test_empty_directory_is_replayed_in_no_time(tmp_path: Path) -> None:
    with scripted_hub() as hub:
        assert run(tmp_path, hub) == Replayed(0, 0, 0)
        assert not hub.requests
