"""Hooks that send the request id on: the next application's events then carry the same one.

```python
httpx.Client(event_hooks={"request": [send_request_id]})
httpx.AsyncClient(event_hooks={"request": [send_request_id_async]})
```
An id that the caller set on the request stays. Outside of a request nothing is sent, nor is an id that
no header can hold: a hook must not make a request fail.
"""

import re
from collections.abc import MutableMapping
from typing import Protocol

from loghub.event.context import current

HEADER = "x-request-id"
_VALUE = re.compile(r"[!-~]{1,128}")


class Request(Protocol):
    """A request that is about to be sent, as httpx has it."""

    @property
    def headers(self) -> MutableMapping[str, str]:
        """Its headers, whose names are compared without case."""


def send_request_id(request: Request) -> None:
    """Set the header from the bound context: a "request" hook of `httpx.Client`."""
    request_id = current().get("request_id")

    if isinstance(request_id, str) and _VALUE.fullmatch(request_id) and HEADER not in request.headers:
        request.headers[HEADER] = request_id


async def send_request_id_async(request: Request) -> None:
    """Set the header from the bound context: a "request" hook of `httpx.AsyncClient`."""
    send_request_id(request)
