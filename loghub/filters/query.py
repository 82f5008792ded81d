"""`QueryFilter`: the records that match a query, in the language that the viewer, the hub and the terminal have."""

import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from loghub.errors import ConfigError, QuerySyntaxError
from loghub.event.encode import decode
from loghub.event.model import KEYS, TAIL_KEYS, Event, JSONValue
from loghub.event.record import IDENTITY, STANDARD, surroundings
from loghub.formatters import JSONFormatter
from loghub.options import environment_tags, names_unknown_options, text
from loghub.query import parse, predicate

_OWNER = "QueryFilter"
_PLAIN = (str, int, float, bool, type(None))
_RESERVED = frozenset((*KEYS, *TAIL_KEYS, *STANDARD, "extra")) - frozenset(IDENTITY)


class QueryFilter(logging.Filter):
    """Let the records through that match a query.

    ```yaml
    filters:
      grave: {(): loghub.QueryFilter, query: "level>=warning OR logger:payments"}
    ```
    It asks the record, its extras, what is bound and the environment's tags; of what a formatter adds or masks it
    knows nothing. A query for level, logger, message, place or a free field costs one or two microseconds; for
    other fields, as template or those of an exception that is there, the line is written and read.

    Args:
        query: text in the query language, without stages.
        static: fields that the formatter adds to each line, as {service: shop}.

    Raises:
        ConfigError: the query cannot be read; it says where, and what was expected there.
        MissingExtraError: it has a regular expression, and google-re2 is not installed.
    """

    @names_unknown_options
    def __init__(self, query: str, *, static: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        written = query if query == "" else text(query, _OWNER, "query")

        try:
            self._matches = predicate(parse(written), now_us=time.time_ns() // 1000)
        except QuerySyntaxError as error:
            raise ConfigError(_OWNER, "query", query, str(error)) from error

        self._static = _mapping(static)
        self._environment = {"hostname": socket.gethostname()} | environment_tags()
        self._formatter = JSONFormatter(static=self._static)

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record passes; one that cannot be asked, because an object in it raises, does."""
        fields = _Fields(record, self._static, self._environment, self._formatter)

        try:
            return self._matches(Event(round(record.created * 1_000_000), record.levelno, fields))
        except Exception:  # noqa: BLE001 (the application must not see a logging error)
            return True


class _Fields(Mapping[str, JSONValue]):
    """The fields of a record's line, each made when it is asked for."""

    __slots__ = ("_environment", "_formatter", "_line", "_record", "_static")

    def __init__(
        self,
        record: logging.LogRecord,
        static: Mapping[str, Any],
        environment: Mapping[str, str],
        formatter: JSONFormatter,
    ) -> None:
        self._record = record
        self._static = static
        self._environment = environment
        self._formatter = formatter
        self._line: Mapping[str, JSONValue] | None = None

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 (as the parent's)
        """Give a field."""
        record = self._record

        if type(record.msg) is str:  # a dict as message brings fields of its own
            quick = _QUICK.get(key)

            if quick is not None:
                return quick(record)

            if key in _OF_ERRORS and not record.exc_info and not record.exc_text:
                return default

            if key not in _RESERVED and key[:1] != "_":
                value = self._free(key)

                if type(value) is str or (type(value) in _PLAIN and key not in IDENTITY):
                    return default if value is None else value

        return self._all().get(key, default)

    def _free(self, key: str) -> object:
        """Give a free field: static wins over extra, extra over what is bound, that over the environment."""
        for given in (self._static, self._record.__dict__):
            if key in given:
                return given[key]

        bound = surroundings()
        return bound[key] if key in bound else self._environment.get(key)

    def _all(self) -> Mapping[str, JSONValue]:
        if self._line is None:
            line = decode(self._formatter.format_line(self._record))
            self._line = Event.from_mapping(line, now_us=0).fields

        return self._line

    def __getitem__(self, key: str) -> JSONValue:
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _message(record: logging.LogRecord) -> str:
    message: str = record.getMessage() if record.args else record.msg
    return message


_OF_ERRORS = ("exc_info", "exception")
_QUICK: dict[str, Callable[[logging.LogRecord], JSONValue]] = {
    "level": lambda record: record.levelname,
    "logger": lambda record: record.name,
    "message": _message,
    "process": lambda record: record.process or None,
    "thread": lambda record: record.threadName or None,
    "module": lambda record: record.module or None,
    "function": lambda record: record.funcName or None,
    "file": lambda record: record.pathname or None,
    "line": lambda record: record.lineno or None,
}
"""What need not be written to be known."""


def _mapping(static: object) -> Mapping[str, Any]:
    if static is None:
        return {}

    if not isinstance(static, Mapping):
        raise ConfigError(_OWNER, "static", static, "give fields and their values, as {service: shop}")

    return {str(key): static[key] for key in static}
