"""What a service has logged and what became of it, as a line from the service to the demo.

`logged` comes from `MetricsFilter`, `accepted` and `lost` from `RemoteHandler`: two counts that
know nothing of each other, so that together they show whether anything is missing.
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from loghub.handlers.remote import RemoteHandler
from loghub.metrics import snapshot

_COUNTED = "log_records_total"
_ERRORS = frozenset({"ERROR", "CRITICAL"})


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one service.

    Attributes:
        logged: records that reached the handler of the hub.
        warnings: those at WARNING.
        errors: those at ERROR and above.
        accepted: acknowledged by the hub.
        lost: refused by the hub, or dropped because there was no room.
    """

    logged: int = 0
    warnings: int = 0
    errors: int = 0
    accepted: int = 0
    lost: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.logged + other.logged,
            self.warnings + other.warnings,
            self.errors + other.errors,
            self.accepted + other.accepted,
            self.lost + other.lost,
        )

    def to_line(self) -> str:
        """Write it as one line of JSON."""
        return json.dumps(asdict(self))


def read_tally(line: str) -> Tally | None:
    """Read a line of `Tally.to_line`; None where it is something else."""
    try:
        return Tally(**json.loads(line)) if line.startswith("{") else None
    except (ValueError, TypeError):
        return None


def total(tallies: Iterable[Tally]) -> Tally:
    """Add up the counts of several services."""
    return sum(tallies, Tally())


def take_tally() -> Tally:
    """Count what this process has logged so far."""
    by_level = _logged_by_level()
    fates = [handler.counters for handler in logging.getLogger().handlers if isinstance(handler, RemoteHandler)]
    return Tally(
        logged=sum(by_level.values()),
        warnings=by_level.get("WARNING", 0),
        errors=sum(by_level.get(level, 0) for level in _ERRORS),
        accepted=sum(fate.acked for fate in fates),
        lost=sum(fate.dead + fate.dropped for fate in fates),
    )


def _logged_by_level() -> dict[str, int]:
    counts: dict[str, int] = {}

    for family in snapshot():
        for labels, value in family.samples.items() if family.name == _COUNTED else ():
            counts[labels[0]] = counts.get(labels[0], 0) + int(value)

    return counts
