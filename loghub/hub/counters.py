"""What a hub counts about itself, as Prometheus text; each hub has a registry of its own.

Behind it stands what the process counts about its own log records, where `MetricsFilter` is in use.
"""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loghub.metrics import text as process_text

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
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
        self.requests = Histogram(
            "loghub_hub_request_seconds",
            "Time to answer a request.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._events = Gauge("loghub_hub_events", "Events in the store.", registry=self._registry)

    def text(self, stored: int) -> bytes:
        """Write all counters.

        Args:
            stored: events in the store by now.
        """
        self._events.set(stored)
        return generate_latest(self._registry) + process_text().encode()


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
