"""`GET /api/v1/stats`: how the hub is.

A bound that there is not is null; so is what the platform does not tell.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from loghub.event.model import format_time
from loghub.hub.answers import JSONAnswer
from loghub.hub.api.parts import Parts
from loghub.hub.store.accounts import Account
from loghub.hub.store.stats import Kept, Room, StoreStats

_SECOND_US = 1_000_000
_STATM = Path("/proc/self/statm")


async def stats(parts: Parts, _request: Request) -> Response:
    """Tell how the hub is."""
    return JSONAnswer(await parts.threads.call(_describe, parts))


def _describe(parts: Parts) -> dict[str, Any]:
    store = parts.store.stats()
    value = parts.counters.value

    return {
        "engine": store.engine,
        "uptime_s": round(time.monotonic() - parts.begun, 1),
        **_events(store),
        "ingest_rate": round(store.rate, 2),
        "received": {
            "accepted": value("events_accepted_total"),
            "duplicate": value("events_duplicate_total"),
            "quarantined": value("lines_quarantined_total"),
        },
        "disk": _disk(store.room),
        "retention": _retention(store.kept),
        "rss": _rss(),
        "subscribers": value("subscribers"),
        "drops": _drops(parts.store.accounts(), value("tail_events_skipped_total")),
        "damaged": list(store.damaged),
    }


def _events(store: StoreStats) -> dict[str, Any]:
    return {
        "events": store.events,
        "oldest": None if store.oldest_us is None else format_time(store.oldest_us),
        "newest": None if store.newest_us is None else format_time(store.newest_us),
        "parts": store.parts,
        "hot": store.hot,
    }


def _disk(room: Room | None) -> dict[str, int] | None:
    if room is None:
        return None

    used = room.sealed + room.log
    return {"used": used, "sealed": room.sealed, "log": room.log, "free": room.free, "size": room.size}


def _retention(kept: Kept) -> dict[str, Any]:
    return {
        "age_s": None if kept.age_us is None else kept.age_us // _SECOND_US,
        "bytes": kept.size,
        "free_bytes": kept.free,
        "events": kept.events,
        "rules": [{"query": query, "age_s": age_us // _SECOND_US} for query, age_us in kept.rules],
    }


def _drops(accounts: Sequence[Account], skipped: int) -> dict[str, int]:
    return {
        "senders": sum(account.report.dropped or 0 for account in accounts if account.report),
        "lost": sum(account.lost for account in accounts),
        "tails": skipped,
    }


def _rss() -> int | None:
    """Give the bytes of memory that this process has, where the platform tells."""
    try:
        return int(_STATM.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
