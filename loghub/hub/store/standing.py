"""How a store on a disk stands: what its parts hold, what they take, and how long it is kept."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from loghub.hub.store.house import House
from loghub.hub.store.keep import Keep
from loghub.hub.store.stats import Kept, Room, StoreStats


def standing(house: House, keep: Keep, rate: float, damaged: Sequence[Path]) -> StoreStats:
    """Sum it up.

    Args:
        house: the store's.
        keep: how much is kept.
        rate: events that come in a second.
        damaged: files that cannot be read.
    """
    parts = house.parts.current
    filled = [part.extent for part in parts if part.extent.count]
    disk = shutil.disk_usage(house.directory.root)
    rules = [(rule.text, rule.age_us) for rule in keep.rules]

    return StoreStats(
        engine="duckdb",
        events=sum(extent.count for extent in filled),
        oldest_us=min((extent.min_us for extent in filled), default=None),
        newest_us=max((extent.max_us for extent in filled), default=None),
        parts=len(parts),
        hot=house.hot.rows,
        rate=rate,
        kept=Kept(keep.age_us, keep.size, keep.free.of(disk.total) or None, rules=rules),
        room=Room(sum(part.size for part in parts), house.hot.log_bytes, disk.free, disk.total),
        damaged=[path.name for path in damaged],
    )
