"""Hooks that send request id and trace on: the next application's events then carry the same ones.

```python
httpx.Client(event_hooks={"request": [send_request_id]})
httpx.AsyncClient(event_hooks={"request": [send_request_id_async]})
carry_request_id(requests.Session())
```
A header that the caller set on the request stays. Outside of a request nothing is sent, nor is an id that
no header can hold: a hook must not make a request fail.
"""

import re
from collections.abc import MutableMapping
from typing import Any, Protocol, TypeVar

from loghub.event.context import current
from loghub.event.trace import current_trace, current_trace_flags
from loghub.middleware.traceparent import KNOWN_FLAGS, TraceParent, are_ids, incoming

HEADER = "x-request-id"
_VALUE = re.compile(r"[!-~]{1,128}")


class Request(Protocol):
    """A request that is about to be sent, as httpx and requests have it."""

    @property
    def headers(self) -> MutableMapping[str, str]:
        """Its headers, whose names are compared without case."""


class Session(Protocol):
    """What is needed of a `requests.Session`."""

    @property
    def adapters(self) -> MutableMapping[str, Any]:
        """An adapter for each prefix of URLs."""


_Session = TypeVar("_Session", bound=Session)


def send_request_id(request: Request) -> None:
    """Set the headers from the bound context: a "request" hook of `httpx.Client`."""
    headers = outgoing_headers()

    if "traceparent" in request.headers:  # a tracestate that is not its own must not join it
        headers = {name: headers[name] for name in headers if name == HEADER}

    for name, value in headers.items():
        if name not in request.headers:
            request.headers[name] = value


async def send_request_id_async(request: Request) -> None:
    """Set the headers from the bound context: a "request" hook of `httpx.AsyncClient`."""
    send_request_id(request)


def carry_request_id(session: _Session) -> _Session:
    """Make a `requests.Session` send the headers with each request; gives the session.

    requests has no hook before a request goes: the session's adapters are wrapped. One that is mounted
    later is not.
    """
    for prefix, adapter in session.adapters.items():
        if not isinstance(adapter, _CarryingAdapter):
            session.adapters[prefix] = _CarryingAdapter(adapter)

    return session


def outgoing_headers() -> dict[str, str]:
    """Give the headers for a request that is sent from this context; for clients without a hook here."""
    values = current()
    request_id = values.get("request_id")
    headers = {HEADER: request_id} if isinstance(request_id, str) and _VALUE.fullmatch(request_id) else {}
    trace = _trace(values)

    if trace is not None:
        headers["traceparent"] = trace.header()
        headers |= {"tracestate": trace.state} if trace.state else {}

    return headers


def _trace(values: dict[str, Any]) -> TraceParent | None:
    """Give OpenTelemetry's span, else the bound one; a state is that which came in with the same trace."""
    traced = current_trace()
    ids = traced or values
    trace_id, span_id = ids.get("trace_id"), ids.get("span_id")

    if not are_ids(trace_id, span_id):
        return None

    came = incoming.get()
    came = came if came is not None and came.trace_id == trace_id else None
    flags = current_trace_flags() if traced else came.flags if came else 0
    return TraceParent(str(trace_id), str(span_id), flags & KNOWN_FLAGS, came.state if came else "")


class _CarryingAdapter:
    """A transport adapter of requests that sets the headers and leaves all else to the one inside."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401 (any adapter)
        self.inner = inner

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (the signature of requests)
        send_request_id(request)
        return self.inner.send(request, *args, **kwargs)

    def close(self) -> None:
        self.inner.close()
