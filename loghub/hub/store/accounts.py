"""What a hub knows of a source of events: data that the ledger keeps and the API tells."""

from dataclasses import dataclass

from loghub.wire.report import Report


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of a source that never came.

    Attributes:
        first: the first of them; `last`: the last one.
        since_us: time of the event before them, by the sender's clock; `until_us`: of the one behind them.
    """

    first: int
    last: int
    since_us: int
    until_us: int

    @property
    def count(self) -> int:
        """How many records they are."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a source.

    Attributes:
        source: its id.
        last: its highest number that is here.
        taken: records that this hub has acknowledged.
        seen_us: when its last batch came.
        service: by its last event; `hostname` and `process` likewise.
        gaps: the newest of its gaps.
        lost: records in all gaps, older ones too.
        report: its own account; None where it tells none.
        skew_us: its clock minus the hub's, less the time that the request was under way.
        newest_us: time of its last event.
    """

    source: str
    last: int
    taken: int
    seen_us: int
    service: str | None = None
    hostname: str | None = None
    process: int | None = None
    gaps: tuple[Gap, ...] = ()
    lost: int = 0
    report: Report | None = None
    skew_us: int | None = None
    newest_us: int | None = None

    @property
    def acked(self) -> int:
        """Records that a hub has acknowledged."""
        return self.taken if self.report is None or self.report.acked is None else self.report.acked
