"""What a sender knows about itself: its counters, what it has to tell of trouble, and what it reports at exit.

Nothing here locks: the worker notes an answer under its own lock. So noting writes nothing, it gives the sentence
back: a stderr that is full, or that an application has turned into a logger, would hold up all who log.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from loghub.handlers.delivery import Effect, Verdict
from loghub.handlers.diagnostics import write
from loghub.handlers.memory import Backlog
from loghub.wire.report import Report


@dataclass(frozen=True, slots=True)
class Counters:
    """What became of the records: appended = acked + dead + dropped + queued.

    Attributes:
        appended: taken in.
        acked: acknowledged by the hub.
        dead: refused by the hub for good.
        dropped: lost because there was no room.
        queued: waiting or under way.
        queued_bytes: their bytes.
        retries: requests that have to be made again, by reason.
        holding: why nothing is sent until somebody puts it right; empty where all is well.
        last_success: unix time of the last acknowledgement; None before the first.
        oldest: seconds that the oldest of those that wait has waited; 0 where none does, or nobody can tell just now.
        spool_bytes: what the spool's directory takes, of all processes, as seen last.
        circuit: "closed" where records flow, "open" where only a probe goes now and then, "half-open" while it goes.
    """

    appended: int = 0
    acked: int = 0
    dead: int = 0
    dropped: int = 0
    queued: int = 0
    queued_bytes: int = 0
    retries: Mapping[str, int] = field(default_factory=dict)
    holding: str = ""
    last_success: float | None = None
    circuit: str = "closed"
    oldest: float = 0.0
    spool_bytes: int = 0

    @property
    def report(self) -> Report:
        """What of it a hub is told."""
        return Report(None, self.appended, self.acked, self.queued, sum(self.retries.values()), self.dead, self.dropped)


class Settling(Protocol):
    """Where records wait until something became of them."""

    @property
    def queued(self) -> int:
        """Records that wait."""

    @property
    def dead(self) -> int:
        """Records that were refused for good."""

    @property
    def dropped(self) -> int:
        """Records that were lost for want of room."""

    def settle_acked(self, count: int) -> None:
        """Let go of the oldest records under way: the hub has them."""

    def settle_dead(self, count: int, reason: str = "") -> None:
        """Let go of the oldest records under way: the hub will never take them."""


class Journal:
    """Keeps account of the answers of one destination.

    Args:
        title: how the sender is called in messages.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._retries: Counter[str] = Counter()
        self._holding = ""
        self._last_success: float | None = None
        self._reported = 0

    def note(self, verdict: Verdict, backlog: Settling) -> str:
        """Settle what an answer settles, and count it.

        Returns:
            What there is to say of it, for whoever holds no lock; "" where all is well.
        """
        return _NOTES[verdict.effect](self, verdict, backlog)

    def counters(self, backlog: Backlog) -> Counters:
        """Give the account as it stands."""
        return Counters(
            backlog.appended,
            backlog.acked,
            backlog.dead,
            backlog.dropped,
            backlog.queued,
            backlog.queued_bytes,
            dict(self._retries),
            self._holding,
            self._last_success,
        )

    def report(self, counts: Counters, guarantee: str) -> None:
        """Say what an exit leaves behind, once; what is spooled is not lost."""
        if counts.queued == self._reported:
            return

        self._reported = counts.queued
        account = f"({counts.acked} acknowledged, {counts.dead} refused, {counts.dropped} dropped)"

        if counts.queued:
            what = f"{counts.queued} of {counts.appended} records were not delivered before the exit {account}"
            write(self._title, what if guarantee == "best-effort" else f"{what}; they wait in the spool")
        else:
            write(self._title, f"nothing of {counts.appended} records waits any more {account}")

    def _acked(self, verdict: Verdict, backlog: Settling) -> str:
        place = 0

        for rejected in verdict.rejected:
            if rejected > place:
                backlog.settle_acked(rejected - place)

            backlog.settle_dead(1, verdict.reason)
            place = rejected + 1

        if verdict.settled > place:
            backlog.settle_acked(verdict.settled - place)

        self._last_success = time.time()
        self._holding = ""
        lost = len(verdict.rejected)
        return (
            f"{verdict.reason}: it rejects {lost} of {verdict.settled} records; {backlog.dead} so far" if lost else ""
        )

    def _dead(self, verdict: Verdict, backlog: Settling) -> str:
        backlog.settle_dead(verdict.settled, verdict.reason)
        self._holding = ""
        return f"{verdict.reason}: the hub refuses a record; {backlog.dead} lost so far"

    def _cut(self, verdict: Verdict, _backlog: Settling) -> str:
        self._retries[verdict.key] += 1
        self._holding = ""
        return ""

    def _retry(self, verdict: Verdict, backlog: Settling) -> str:
        self._retries[verdict.key] += 1
        self._holding = ""
        return f"{verdict.reason}: trying again; {_waiting(backlog)}"

    def _hold(self, verdict: Verdict, backlog: Settling) -> str:
        self._retries[verdict.key] += 1
        self._holding = verdict.reason
        return f"{verdict.reason}: check the address, the token and the certificate; {_waiting(backlog)}"


def _waiting(backlog: Settling) -> str:
    lost = f", {backlog.dropped} were dropped for want of room" if backlog.dropped else ""
    return f"{backlog.queued} records wait{lost}"


_NOTES: dict[Effect, Callable[[Journal, Verdict, Settling], str]] = {
    Effect.ACK: Journal._acked,  # noqa: SLF001 (the table belongs to the class)
    Effect.DEAD: Journal._dead,  # noqa: SLF001
    Effect.HALVE: Journal._cut,  # noqa: SLF001
    Effect.SHORTEN: Journal._cut,  # noqa: SLF001
    Effect.RETRY: Journal._retry,  # noqa: SLF001
    Effect.HOLD: Journal._hold,  # noqa: SLF001
}
