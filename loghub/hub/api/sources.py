"""`GET /api/v1/sources`: who sends, what became of it, and what is missing, exactly.

A number that nobody has told is null, never 0.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from loghub.event.model import format_time
from loghub.hub.answers import JSONAnswer
from loghub.hub.api.parameters import read_number
from loghub.hub.api.parts import Parts
from loghub.hub.store.accounts import Account, Gap
from loghub.wire.report import Report

_DEFAULT = 1000
_LARGEST = 5000


async def sources(parts: Parts, request: Request) -> Response:
    """Give the sources that were seen last."""
    limit = read_number(request.query_params, "limit", _DEFAULT, _LARGEST)
    accounts = await parts.threads.call(parts.store.accounts)
    return JSONAnswer({"sources": [_source(account) for account in accounts[:limit]]})


def _source(account: Account) -> dict[str, Any]:
    report = account.report or Report()
    return {
        "source": account.source,
        "service": account.service,
        "hostname": account.hostname,
        "process": account.process,
        "sent": report.sent,
        "acked": account.acked,
        "queued": report.queued,
        "retried": report.retried,
        "dead": report.dead,
        "dropped": report.dropped,
        "gaps": [_gap(gap) for gap in account.gaps],
        "last_seen": format_time(account.seen_us),
        "skew_ms": None if account.skew_us is None else round(account.skew_us / 1000),
    }


def _gap(gap: Gap) -> dict[str, str | int]:
    return {
        "from": format_time(gap.since_us),
        "to": format_time(gap.until_us),
        "count": gap.count,
        "first": gap.first,
        "last": gap.last,
    }
