"""One request and its answer, as ASGI and WSGI have them in common: the ids that it brings, the access event.

Rules:
1. An id that comes in is taken only if it is short and plain; else a new one is made. It goes into
   logs and headers, so what a stranger sends must not be able to forge a line.
2. There is one access event for each request, when its answer is out, at ERROR where that is a 5xx or the
   application raised. It has the path without the query, in which secrets may stand.
"""

import logging
import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loghub.errors import ConfigError
from loghub.middleware import traceparent

FAILED = 500
ROUTE_KEY = "loghub.route"
"""Where an application says its route itself: in the ASGI scope or the WSGI environ."""

_ID = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}")
_HEADER = re.compile(r"[A-Za-z0-9-]+")

access = logging.getLogger("loghub.access")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a request says of itself.

    Attributes:
        request_id: taken or made.
        trace: read from traceparent, if that is valid.
    """

    request_id: str
    trace: traceparent.TraceParent | None

    def to_bind(self) -> dict[str, object]:
        """Give what to bind for the request."""
        trace = self.trace
        ids = {} if trace is None else {"trace_id": trace.trace_id, "span_id": trace.span_id}
        return {"request_id": self.request_id, **ids}


def arrival(request_id: str, parents: Sequence[str], states: Sequence[str]) -> Arrival:
    """Read the values of the three headers; "" and empty lists where they are missing."""
    taken = request_id if is_plain(request_id) else uuid.uuid4().hex
    return Arrival(taken, traceparent.parse(parents, states))


def is_plain(request_id: str) -> bool:
    """Tell whether an id that came in may be taken."""
    return _ID.fullmatch(request_id) is not None


def header_name(header: object) -> str:
    """Check the option `header` and give the name in lower case."""
    if not isinstance(header, str) or not _HEADER.fullmatch(header):
        raise ConfigError("RequestIDMiddleware", "header", header, "a header's name is letters, digits and -")

    return header.lower()


class Exchange:
    """What has been asked, and what has been answered so far."""

    def __init__(self, method: str, path: str) -> None:
        self.method = method
        self.path = path
        self.status: int | None = None
        self.bytes = 0
        self.failed = False
        self._start = time.perf_counter()

    def log(self, route: str | None) -> None:
        """Log the access event."""
        status = FAILED if self.status is None else self.status
        took = round((time.perf_counter() - self._start) * 1000, 3)
        level = logging.ERROR if self.failed or status >= FAILED else logging.INFO
        fields: dict[str, Any] = {"method": self.method, "path": self.path}
        fields |= {} if route is None else {"route": route}
        fields |= {"status": status, "duration_ms": took, "bytes": self.bytes}
        access.log(level, "%s %s %d", self.method, self.path, status, extra=fields)
