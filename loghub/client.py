"""A hub from Python: search it, tail it, export from it.

```python
with loghub.client.Hub("http://127.0.0.1:8514") as hub:
    for event in hub.search("level>=error", since="-1h"):
        print(event.fields["message"])
```

Rules:
1. A search is read page by page while it is iterated; each iteration asks anew.
2. A tail is a long poll, which passes any proxy. It goes on behind what it had, also after the connection was lost.
3. What the hub refuses is a `HubError` with its words; so is a hub that cannot be reached.

It needs httpx (the extra `remote`); `to_dataframe` needs pandas or polars.
"""

import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

from loghub.errors import ConfigError, HubError, require
from loghub.event.encode import decode
from loghub.event.model import Event, JSONValue

Fields: TypeAlias = dict[str, JSONValue]
Order: TypeAlias = Literal["newest", "oldest"]

_PAGE = 1000
_WAIT_S = 20
_PAUSES_S = (0.2, 1.0, 3.0, 5.0)
_PLACE = ("_id", "_received", "_cursor")


class Hub:
    """A hub at an address.

    Args:
        url: as "http://127.0.0.1:8514"; a prefix is kept.
        token: what the hub wants to be shown.
        timeout: seconds that an answer may take.

    Raises:
        ConfigError: the address is none.
        MissingExtraError: httpx is not installed.
    """

    def __init__(self, url: str, *, token: str | None = None, timeout: float = 60.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError("Hub", "url", url, "give the address of a hub, as http://127.0.0.1:8514")

        self._httpx = require("httpx", "loghub.client.Hub", "remote")
        self._timeout = timeout
        self._client = self._httpx.Client(
            base_url=url.rstrip("/") + "/api/v1/",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=timeout,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections; idempotent."""
        self._client.close()

    def search(
        self,
        query: str = "",
        *,
        since: str | None = None,
        until: str | None = None,
        order: Order = "newest",
        limit: int | None = None,
    ) -> "Results":
        """Find events.

        Args:
            query: in the query language; a stage makes a table, for which there is `table`.
            since: RFC 3339 or relative, as "-15m"; the range has it.
            until: the same; the range ends before it.
            order: which come first.
            limit: how many at most; all by default.
        """
        return Results(self, {"query": query, "from": since, "to": until, "order": order}, limit)

    def table(
        self, query: str, *, since: str | None = None, until: str | None = None
    ) -> tuple[list[str], list[list[JSONValue]]]:
        """Give the columns and rows of a query with a stage, as "| count by service"."""
        answer = self.get("search", {"query": query, "from": since, "to": until})

        if not isinstance(answer.get("columns"), list):
            raise ConfigError("Hub.table", "query", query, "add a stage, as | count by service")

        columns: Any = answer["columns"]
        rows: Any = answer["rows"]
        return columns, rows

    def count(self, query: str = "", *, since: str | None = None, until: str | None = None) -> int:
        """Count events."""
        _, rows = self.table(f"{query} | count", since=since, until=until)
        number: Any = rows[0][0]
        return int(number)

    def tail(
        self, query: str = "", *, cursor: str | None = None, on_gap: Callable[[int], None] | None = None
    ) -> Iterator[Event]:
        """Give events as they arrive, without an end.

        Args:
            query: what they must match.
            cursor: where to go on; with what comes next by default.
            on_gap: called with a number of events that were passed over, because this reader is too slow.
        """
        for fields in self.tail_lines(query, cursor=cursor, on_gap=on_gap):
            yield event_of(fields)

    def tail_lines(
        self, query: str = "", *, cursor: str | None = None, on_gap: Callable[[int], None] | None = None
    ) -> Iterator[Fields]:
        """Give events as `tail` does, with their place: `_id`, `_received` and `_cursor`."""
        cursor = cursor or self.tail_cursor(query)

        while True:
            answer = self._patiently("tail", {"query": query, "cursor": cursor, "wait": str(_WAIT_S)})
            frames: Any = answer["frames"]

            for frame in frames:
                if frame["type"] == "gap" and on_gap is not None:
                    on_gap(frame["count"])

                yield from frame.get("events", ())

            cursor = str(answer["cursor"])

    def tail_cursor(self, query: str = "") -> str:
        """Give the cursor behind everything that is there."""
        return str(self.get("tail", {"query": query})["cursor"])

    def export(self, parameters: Mapping[str, str | None]) -> Iterator[bytes]:
        """Give a file of all that matches, piece by piece; the parameters are those of the HTTP API.

        Raises:
            HubError: it is refused, or the connection breaks before the end.
        """
        with self._told(), self._client.stream("GET", "export", params=_given(parameters)) as answer:
            if answer.status_code != self._httpx.codes.OK:
                answer.read()
                raise _refused(answer)

            yield from answer.iter_raw()

    def get(self, path: str, parameters: Mapping[str, str | None]) -> Fields:
        """Ask one endpoint.

        Raises:
            HubError: it is refused, or the hub cannot be reached.
        """
        with self._told():
            answer = self._client.get(path, params=_given(parameters))

        if answer.status_code != self._httpx.codes.OK:
            raise _refused(answer)

        try:
            return decode(answer.content)
        except ValueError:
            raise HubError(f"{answer.url} does not answer as a hub does", answer.status_code) from None

    def _patiently(self, path: str, parameters: Mapping[str, str | None]) -> Fields:
        """Ask again and again while the hub cannot be reached, or says that it may answer later."""
        pauses = iter(_PAUSES_S)

        while True:
            try:
                return self.get(path, parameters)
            except HubError as error:
                if error.status is not None and error.status < 500:  # noqa: PLR2004 (the hub's own errors begin there)
                    raise

                time.sleep(next(pauses, _PAUSES_S[-1]))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise HubError(f"no answer from the hub at {self._client.base_url}: {reason}") from error


class Results:
    """The events of a search; iterate it, or make a data frame of it."""

    def __init__(self, hub: Hub, parameters: Mapping[str, str | None], limit: int | None) -> None:
        self._hub = hub
        self._parameters = parameters
        self._limit = limit

    def __iter__(self) -> Iterator[Event]:
        return map(event_of, self.lines())

    def lines(self) -> Iterator[Fields]:
        """Give the events with their place: `_id`, `_received` and `_cursor`."""
        cursor: str | None = None
        left = self._limit

        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            answer = self._hub.get("search", {**self._parameters, "limit": str(size), "cursor": cursor})
            events: Any = answer.get("events")

            if events is None:
                raise ConfigError("Hub.search", "query", self._parameters["query"], "use Hub.table for a stage")

            yield from events
            left = None if left is None else left - len(events)
            following = answer["cursor"]

            if following is None:
                return

            if following == cursor:  # the hub could not read on in the time that it has
                raise HubError(f"the search is not whole: {answer.get('partial')}")

            cursor = str(following)

    def to_dataframe(self) -> Any:  # noqa: ANN401 (of pandas or of polars)
        """Make a data frame: of pandas where it is installed, else of polars. Columns are keys of the line.

        Raises:
            MissingExtraError: neither is installed.
        """
        if importlib.util.find_spec("pandas") is not None:
            return import_module("pandas").DataFrame([dict(event.fields) for event in self])

        polars = require("polars", "to_dataframe", "dataframe")
        return polars.DataFrame([dict(event.fields) for event in self], infer_schema_length=None, strict=False)


def event_of(fields: Mapping[str, JSONValue]) -> Event:
    """Make an event of what the API gives: without its place."""
    return Event.from_mapping({key: value for key, value in fields.items() if key not in _PLACE}, now_us=0)


def _given(parameters: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value is not None}


def _refused(answer: Any) -> HubError:  # noqa: ANN401 (of httpx)
    try:
        error: Any = decode(answer.content)["error"]
        return HubError(error["message"], answer.status_code, error["code"], error.get("position"))
    except (ValueError, KeyError, TypeError):
        return HubError(f"the hub answers {answer.status_code} to {answer.url}", answer.status_code)
