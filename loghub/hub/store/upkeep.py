"""What the store's background thread does: it seals what waits, lets go of what is not kept, and merges small parts.

Rules:
1. Sealing comes first, since what comes waits for it; merging comes last, since nothing waits for it.
2. A piece of work that fails changed nothing that readers see, and is done again from its beginning. To let go of
   whole parts needs no room, so it is done also where sealing fails.
3. Each piece holds the house's lock, and nothing holds it longer than that.
"""

import shutil
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from loghub.hub.store.asked import Asked
from loghub.hub.store.compaction import Compaction
from loghub.hub.store.deletion import Deletion
from loghub.hub.store.house import House
from loghub.hub.store.keep import Keep, Rule
from loghub.hub.store.rest import Rest
from loghub.hub.store.retention import Disk, expired
from loghub.hub.store.sealing import seal_one

if TYPE_CHECKING:
    from loghub.hub.store.partitions import Part


_HOUR_US = 3_600_000_000


class Upkeep:
    """Keeps a store in order.

    Args:
        house: what it works on.
        keep: how much is kept.
        compaction: merges small parts.
        clock_us: gives the time in microseconds.
        rest: gives memory back.
    """

    def __init__(
        self, house: House, keep: Keep, compaction: Compaction, clock_us: Callable[[], int], rest: Rest
    ) -> None:
        self._house = house
        self._keep = keep
        self._compaction = compaction
        self._clock_us = clock_us
        self._rest = rest
        self._ruled: set[tuple[Part, Rule]] = set()

    def run(self, closing: threading.Event) -> None:
        """Do what is to be done now; ends early where the store closes."""
        try:
            while not closing.is_set() and seal_one(self._house):
                pass
        finally:
            self.retain()

        for rule in self._keep.rules:
            self._follow(rule, closing)

        while not closing.is_set() and not self._house.hot.waiting and self._compaction.merge_some():
            pass

        self._rest.take()

    def retain(self) -> None:
        """Let go of the parts that are not kept, and of the lines in quarantine that are as old."""
        house = self._house

        with house.lock:
            house.shelf.sweep()
            usage = shutil.disk_usage(house.directory.root)
            disk = Disk(usage.total, usage.free + house.parts.leaving, house.hot.log_bytes)

            for part in expired(house.finished, disk, now_us=self._clock_us(), keep=self._keep):
                house.shelf.remove(part)

        age_us = self._keep.age_us
        house.quarantine.expire(self._clock_us() - age_us, slack_us=min(_HOUR_US, age_us // 10))

    def _follow(self, rule: Rule, closing: threading.Event) -> None:
        """Delete what a rule does not keep, in the parts that are as old as it says; in each of them once."""
        now_us = self._clock_us()
        finished = self._house.finished
        self._ruled = {(part, known) for part, known in self._ruled if part in finished}
        deletion = Deletion(self._house, Asked(rule.query, now_us))

        for part in finished:
            is_due = part.extent.received_us < now_us - rule.age_us and (part, rule) not in self._ruled

            if is_due and not closing.is_set():
                deletion.rewrite(part)
                self._ruled.add((part, rule))
