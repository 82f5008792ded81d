"""Request ids through Celery: what a task logs carries the id of the request that sent it.

```python
from loghub.middleware.celery import connect

connect()
```
Call it where the Celery application is made, so that senders and workers both have it.

Rules:
1. Who sends a task sends the bound request id and the trace along, as headers of the message. A header that the
   caller set stays.
2. A worker binds them for the length of the task, and `task_id` and `task_name`. A task that nobody's request sent
   has its own id as request id, and so have all that it sends.
3. What is bound meanwhile ends with the task: a worker's thread or process goes on to the next one.
4. An id is taken only if it is short and plain, as in a request.
"""

from collections.abc import Mapping, MutableMapping
from typing import Any, Protocol

from loghub.errors import require
from loghub.event.context import bind, current, restore
from loghub.middleware.exchange import arrival, is_plain
from loghub.middleware.outbound import HEADER, outgoing_headers
from loghub.middleware.traceparent import incoming

_UID = "loghub.middleware.celery"
_OUTSIDE = "_loghub_outside"


class Task(Protocol):
    """What is needed of a Celery task."""

    name: str
    request: Any


def connect() -> None:
    """Connect to Celery's signals; a second call changes nothing.

    Raises:
        MissingExtraError: Celery is not installed.
    """
    for signal, receiver in _receivers():
        signal.connect(receiver, weak=False, dispatch_uid=_UID)


def disconnect() -> None:
    """Take it back."""
    for signal, _receiver in _receivers():
        signal.disconnect(dispatch_uid=_UID)


def _receivers() -> tuple[tuple[Any, Any], ...]:
    signals = require("celery.signals", "loghub.middleware.celery", "celery")
    return (
        (signals.before_task_publish, _before_publish),
        (signals.task_prerun, _before_run),
        (signals.task_postrun, _after_run),
    )


def _before_publish(*, headers: MutableMapping[str, Any] | None = None, **_others: object) -> None:
    if headers is None:
        return

    has_trace = "traceparent" in headers  # a tracestate that is not its own must not join it

    for name, value in outgoing_headers().items():
        if name == HEADER or not has_trace:
            headers.setdefault(name, value)


def _before_run(*, task_id: str, task: Task, **_others: object) -> None:
    headers = task.request.headers or {}
    outside = current(), incoming.get()
    setattr(task.request, _OUTSIDE, outside)
    values: dict[str, object] = {"task_id": task_id, "task_name": task.name}

    if HEADER in headers or "request_id" not in outside[0]:  # eager: the sender's context is still this one
        values |= _arrived(headers, task_id)

    bind(**values)


def _after_run(*, task: Task, **_others: object) -> None:
    outside = getattr(task.request, _OUTSIDE, None)

    if outside is not None:
        restore(outside[0])
        incoming.set(outside[1])


def _arrived(headers: Mapping[str, Any], task_id: str) -> dict[str, object]:
    given = str(headers.get(HEADER, ""))
    parents = [str(headers["traceparent"])] if "traceparent" in headers else []
    states = [str(headers["tracestate"])] if "tracestate" in headers else []
    arrived = arrival(given if is_plain(given) else task_id, parents, states)
    incoming.set(arrived.trace)
    return arrived.to_bind()
