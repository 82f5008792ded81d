"""The engine by itself: what no socket can show — no threads left, mistakes of its own, locks held at a fork."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from loghub.handlers import lifetime
from loghub.handlers.delivery import Answer, Pace, Trouble
from loghub.handlers.memory import MemoryRing
from loghub.handlers.own_noise import is_own_thread
from loghub.handlers.worker import Engine, Limits
from loghub.wire.batch import Batch

from scripted_hub import wait_until


class Recording:
    """Answers as told and keeps what it got; ours, so that no network is in the way."""

    def __init__(self, answer: Callable[[Batch], int | Trouble] = lambda _batch: 200) -> None:
        self.answer = answer
        self.sent: list[Batch] = []
        self.marked: list[bool] = []
        self.closed = self.abandoned = 0

    def send(self, batch: Batch, timeout: float) -> Answer:
        assert timeout > 0
        self.sent.append(batch)
        self.marked.append(is_own_thread())
        return Answer(self.answer(batch))

    def close(self) -> None:
        self.closed += 1

    def abandon(self) -> None:
        self.abandoned += 1


@pytest.fixture
def engines() -> Iterator[list[Engine]]:
    made: list[Engine] = []
    yield made

    for engine in made:
        engine.detach("test")


def engine_with(post: Recording, engines: list[Engine], **limits: float) -> Engine:
    engine = Engine(
        "Test",
        Limits(**{"linger": 0.005, "exit_deadline": 0.2, **limits}),  # type: ignore[arg-type]
        lambda source: MemoryRing(source, 1000, 1_000_000),
        lambda: post,
        Pace(0.01, 0.02),
    )
    engine.attach("test")
    engines.append(engine)
    return engine


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no thread start, as Python does at its end."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.usefixtures("no_threads")
def test_exit_without_threads_delivers_in_the_thread_that_ends(engines: list[Engine]) -> None:
    post = Recording()
    engine = engine_with(post, engines, batch_records=3)

    for number in range(10):
        engine.append(b"%d\n" % number)

    engine.begin_exit()
    assert engine.finish_exit()
    assert b"".join(line for batch in post.sent for line in batch.lines) == b"".join(b"%d\n" % n for n in range(10))
    assert engine.counters.acked == 10
    assert all(post.marked)
    assert not is_own_thread()
    assert post.closed == 1


@pytest.mark.usefixtures("no_threads")
@pytest.mark.parametrize("status", [503, 401, Trouble.NO_ANSWER, 200])
def test_exit_without_threads_is_bounded(
    engines: list[Engine], status: int | Trouble, capsys: pytest.CaptureFixture[str]
) -> None:
    def slowly(_batch: Batch) -> int | Trouble:
        time.sleep(0.2)
        return status

    engine = engine_with(Recording(slowly), engines, batch_records=1)

    for _ in range(100):
        engine.append(b"x\n")

    start = time.monotonic()
    engine.begin_exit()
    assert not engine.finish_exit()
    assert time.monotonic() - start < 10  # all of them would take twenty
    left = engine.counters
    assert left.queued + left.acked == 100
    assert f"{left.queued} of 100 records were not delivered" in capsys.readouterr().err


def test_exit_twice_says_what_is_left_once(engines: list[Engine], capsys: pytest.CaptureFixture[str]) -> None:
    engine = engine_with(Recording(lambda _batch: 503), engines)
    engine.append(b"x\n")

    for _ in range(2):
        engine.begin_exit()
        engine.finish_exit()

    assert capsys.readouterr().err.count("not delivered") == 1


def test_mistake_of_ours_does_not_end_the_delivery(engines: list[Engine], capsys: pytest.CaptureFixture[str]) -> None:
    failures = [ZeroDivisionError("oops")]

    def answer(_batch: Batch) -> int:
        if failures:
            raise failures.pop()

        return 200

    post = Recording(answer)
    engine = engine_with(post, engines)
    engine.append(b"x\n")
    assert engine.flush(60)
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert len({batch.key for batch in post.sent}) == 1


def test_fork_while_another_thread_holds_the_lock_leaves_a_usable_engine(engines: list[Engine]) -> None:
    post = Recording(lambda _batch: 503)
    engine = engine_with(post, engines)
    engine.append(b"of the parent\n")
    wait_until(lambda: bool(post.sent))
    release, held = threading.Event(), threading.Event()

    def hold() -> None:
        with engine._lock:
            held.set()
            release.wait(200)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    source = engine._backlog.take(1, 1)
    engine.after_fork()
    post.answer = lambda _batch: 200
    engine.append(b"of the child\n")
    assert engine.flush(60)
    assert post.abandoned == 1
    assert source is not None
    assert post.sent[-1].lines == (b"of the child\n",)
    assert post.sent[-1].source != source.source
    release.set()
    holder.join()


def test_flush_tells_whether_all_is_delivered_and_leaves_no_waiter(engines: list[Engine]) -> None:
    post = Recording(lambda _batch: 503)
    engine = engine_with(post, engines)
    assert engine.flush(0)
    engine.append(b"x\n")
    assert not engine.flush(0.01)
    assert not engine._waiters
    post.answer = lambda _batch: 200
    assert engine.flush(60)


def test_pause_is_kept_to_although_lines_come_in() -> None:
    post = Recording(lambda _batch: 401)
    engine = Engine(
        "Test",
        Limits(linger=0, batch_records=1),
        lambda source: MemoryRing(source, 1000, 1_000_000),
        lambda: post,
        Pace(60, 60),
    )
    engine.attach("test")
    engine.append(b"x\n")
    wait_until(lambda: bool(post.sent))

    for _ in range(500):
        engine.append(b"x\n")

    engine.flush(0.05)
    assert len(post.sent) == 1

    # The end of the process cuts the pause short: one more probe, and no other.
    engine.begin_exit()
    assert not engine.finish_exit()
    assert len(post.sent) == 2

    # Nobody delivers any more, so nobody waits either.
    assert not engine.flush(30)
    assert not engine.finish_exit()
    engine.detach("test")


def test_backlog_is_seen_to_while_a_failure_is_waited_out() -> None:
    """An hour of Retry-After must not keep records from the disk, or the next segment from being made."""

    class Tended(MemoryRing):
        times = 0

        def tend(self) -> float:
            self.times += 1
            return 0.01

    ring = Tended("0" * 24, 1000, 1_000_000)
    post = Recording(lambda _batch: 401)
    engine = Engine("Test", Limits(linger=0), lambda _: ring, lambda: post, Pace(600, 600))
    engine.attach("test")
    engine.append(b"x\n")
    wait_until(lambda: engine.counters.circuit == "open")
    before = ring.times
    wait_until(lambda: ring.times > before + 3)
    assert len(post.sent) == 1
    engine.retire()


def test_thread_ends_when_nobody_is_attached_and_nothing_waits(engines: list[Engine]) -> None:
    post = Recording()
    engine = engine_with(post, engines)
    engine.append(b"x\n")
    assert engine.flush(60)
    thread = engine._thread
    assert thread is not None
    assert thread.daemon
    engine.detach("test")
    thread.join(60)
    assert not thread.is_alive()
    assert post.closed == 1
    engine.attach("test")
    engine.append(b"y\n")
    assert engine.flush(60)


def test_line_that_comes_while_another_call_looks_is_taken_in_at_once(engines: list[Engine]) -> None:
    """A signal handler logs in the midst of `counters`; nobody logs afterwards."""
    post = Recording()
    engine = engine_with(post, engines)
    inside = engine._alone

    with inside():
        engine.append(b"late\n")

    wait_until(lambda: [batch.lines for batch in post.sent] == [(b"late\n",)])


def test_flush_without_a_bound_waits_until_all_is_delivered(engines: list[Engine]) -> None:
    engine = engine_with(Recording(), engines)
    engine.append(b"x\n")
    assert engine.flush(float("inf"))


def test_mistake_in_one_engine_at_exit_takes_nothing_from_another(
    engines: list[Engine], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def begin_exit(self) -> None:
            raise RuntimeError("a mistake")

        def finish_exit(self) -> bool:
            raise RuntimeError("a mistake")

        def after_fork(self) -> None: ...

    post = Recording()
    engine = engine_with(post, engines, linger=60)
    engine.append(b"x\n")
    monkeypatch.setattr(lifetime, "_kept", {1: Broken(), 2: engine})
    lifetime.at_exit()
    assert [batch.lines for batch in post.sent] == [(b"x\n",)]
    assert "a mistake" in capsys.readouterr().err
