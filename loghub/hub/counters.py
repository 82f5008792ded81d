"""What a hub counts about itself, as Prometheus text; each hub has a registry of its own.

Behind it stands what the process counts about its own log records, where `MetricsFilter` is in use.
"""

import time
from collections import Counter as Counts
from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loghub.hub.store.accounts import Account
from loghub.metrics import OTHER
from loghub.metrics import text as process_text
from loghub.wire.report import Report

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_FATES = ("acked", "queued", "dead", "dropped", "gap")
_MOST_SERVICES = 50
_LONGEST = 120
_UNROUTED = (401, 403, 404, 405)  # whoever gets these need not know a token, or what the hub takes


class Counters:
    """The counters of one hub."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.accepted = Counter("loghub_hub_events_accepted", "Events stored.", registry=self._registry)
        self.duplicate = Counter(
            "loghub_hub_events_duplicate", "Events that were sent again and trimmed.", registry=self._registry
        )
        self.quarantined = Counter("loghub_hub_lines_quarantined", "Lines that are no events.", registry=self._registry)
        self.subscribers = Gauge("loghub_hub_subscribers", "Live tails.", registry=self._registry)
        self.skipped = Counter(
            "loghub_hub_tail_events_skipped", "Events that slow tails were moved past.", registry=self._registry
        )
        self.requests = Histogram(
            "loghub_hub_request_seconds",
            "Time to answer a request.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._sources = Gauge("loghub_hub_sources", "Sources that the hub knows.", registry=self._registry)
        self._records = Gauge(
            "loghub_hub_source_records",
            "Records of all sources by what became of them, as their senders told last; gap: missing here.",
            ("service", "fate"),
            registry=self._registry,
        )
        self._events = Gauge("loghub_hub_events", "Events in the store.", registry=self._registry)

    def value(self, name: str) -> int:
        """Give what a counter or a gauge without labels says now.

        Args:
            name: its sample, without `loghub_hub_`.
        """
        return round(self._registry.get_sample_value(f"loghub_hub_{name}") or 0)

    def text(self, stored: int, accounts: Sequence[Account] = ()) -> bytes:
        """Write all counters.

        Args:
            stored: events in the store by now.
            accounts: what is known of the sources.
        """
        self._events.set(stored)
        self._sources.set(len(accounts))
        self._records.clear()

        for labels, count in _by_service(accounts).items():
            self._records.labels(*labels).set(count)

        return generate_latest(self._registry) + process_text().encode()


def _by_service(accounts: Sequence[Account]) -> Mapping[tuple[str, str], int]:
    """Sum the accounts up, for the services that were seen last; those beyond are "other", so that labels stay few."""
    sums: Counts[tuple[str, str]] = Counts()
    services: set[str] = set()

    for account in accounts:
        name = (account.service or "")[:_LONGEST]
        service = name if name in services or len(services) < _MOST_SERVICES else OTHER
        services.add(service)
        report = account.report or Report()
        known = (account.acked, report.queued, report.dead, report.dropped, account.lost)
        sums.update({(service, fate): count for fate, count in zip(_FATES, known, strict=True) if count is not None})

    return sums


class Timing:
    """ASGI middleware that measures requests by route, method and status.

    Args:
        app: what it measures.
        counters: where it is counted.
    """

    def __init__(self, app: ASGIApp, counters: Counters) -> None:
        self._app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and look at the clock."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        started = time.perf_counter()
        status = 500

        async def send_and_look(message: Message) -> None:
            nonlocal status

            if message["type"] == "http.response.start":
                status = message["status"]

            await send(message)

        try:
            await self._app(scope, receive, send_and_look)
        finally:
            route = getattr(scope.get("route"), "path", "")  # the pattern, never the path: labels stay few
            method = scope["method"] if scope["method"] in _METHODS else "other"
            labels = ("" if status in _UNROUTED else method, route, str(status))
            self._counters.requests.labels(*labels).observe(time.perf_counter() - started)
