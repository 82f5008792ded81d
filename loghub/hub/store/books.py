"""The books of a store: marks, by which a resend is trimmed, and the ledger, which tells of the sources."""

from dataclasses import dataclass

from loghub.hub.store.ledger import Ledger, Sighting
from loghub.hub.store.marks import Marks


@dataclass(frozen=True, slots=True)
class Books:
    """Marks and ledger, kept in step."""

    marks: Marks
    ledger: Ledger

    def enter(self, seen: Sighting) -> None:
        """Take note of a batch that is on the disk, or was there already."""
        if seen.first <= seen.last:
            self.marks.raise_to(seen.source, seen.last, seen.received_us)

        self.ledger.note(seen)

    def save(self) -> None:
        """Write both files, where something changed.

        Raises:
            OSError: the disk refused.
        """
        self.marks.save()
        self.ledger.save()
