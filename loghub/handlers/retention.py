"""Which segments of a log have had their time: a pure rule, and the thin deed."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loghub.errors import ConfigError
from loghub.options import count, duration
from loghub.segments import Segment, segments


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept of the rolled-over segments.

    Attributes:
        seconds: the age, counted from the roll, up to which a segment is kept; None for any.
        files: how many segments are kept; None for any number.
    """

    seconds: float | None = None
    files: int | None = None

    def __bool__(self) -> bool:
        return self.seconds is not None or self.files is not None

    def expired(self, found: Sequence[Segment], now: datetime) -> list[Segment]:
        """Give those of `found` (oldest first) that are not kept, oldest first."""
        surplus = max(0, len(found) - self.files) if self.files is not None else 0
        oldest = now.timestamp() - self.seconds if self.seconds is not None else float("-inf")

        return [
            segment for place, segment in enumerate(found) if place < surplus or segment.rolled.timestamp() < oldest
        ]


def parse_retention(keep: object, keep_files: object, owner: str) -> Retention:
    """Read the options `keep` ("14 days") and `keep_files` (30).

    Raises:
        ConfigError: names the option.
    """
    return Retention(
        seconds=None if keep is None else _age(keep, owner),
        files=None if keep_files is None else count(keep_files, owner, "keep_files", least=0),
    )


def _age(keep: object, owner: str) -> float:
    """Read an age; a bare number is refused, since who writes `keep: 14` means days and would get seconds."""
    seconds = duration(keep, owner, "keep")

    if not isinstance(keep, str) or not keep.strip().strip("0123456789."):
        raise ConfigError(owner, "keep", keep, f'give a unit, as "{keep} days"')

    return seconds


def prune(log: Path, retention: Retention, now: float) -> list[Path]:
    """Delete the segments that are not kept and say which; one that is gone or held is passed over."""
    gone: list[Path] = []

    with suppress(OSError):  # a directory that cannot be listed
        for segment in retention.expired(segments(log), datetime.fromtimestamp(now, UTC)):
            with suppress(OSError):
                segment.path.unlink()
                gone.append(segment.path)

    return gone
