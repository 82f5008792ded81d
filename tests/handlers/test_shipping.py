"""`ship` by itself: what a process cannot show within a test's time."""

import pytest

from loghub.handlers import shipping
from loghub.handlers.delivery import Answer
from loghub.handlers.shipping import Stop, ship
from loghub.wire.batch import Batch


class Endless:
    """A log that is written to faster than it can be sent."""

    queued = dead = dropped = 0

    def __init__(self, source: str) -> None:
        self._source = source
        self._next = 1

    def tend(self) -> float:
        return 0.0

    def take(self, records: int, size: int) -> Batch | None:
        assert records > 0
        assert size > 0
        return Batch(self._source, self._next, (b"{}\n",))

    def settle_acked(self, count: int) -> None:
        self._next += count

    def settle_dead(self, count: int, reason: str = "") -> None:
        raise AssertionError(count, reason)

    def close(self) -> None: ...


class Taking:
    """Takes everything, and says stop once both logs were seen."""

    def __init__(self, stop: Stop) -> None:
        self.seen: set[str] = set()
        self.sent = 0
        self._stop = stop

    def send(self, batch: Batch, timeout: float) -> Answer:
        assert timeout > 0
        self.seen.add(batch.source)
        self.sent += 1

        if len(self.seen) == 2 or self.sent == 10_000:
            self._stop.set()

        return Answer(200)

    def close(self) -> None: ...

    def abandon(self) -> None: ...


def test_new_log_is_found_beside_one_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "_LOOK_EVERY", 0.0)
    stop = Stop()
    post = Taking(stop)
    logs = [Endless("a" * 24), Endless("b" * 24)]
    looks: list[int] = []

    def supplies() -> list[Endless]:
        looks.append(1)
        return logs[: len(looks)]

    ship(supplies, post, stop)
    assert post.seen == {"a" * 24, "b" * 24}
