"""`ContextFilter`: bound values and static tags as attributes of the record, for other people's formatters."""

import logging
from collections.abc import Mapping
from typing import Any

from loghub.errors import ConfigError
from loghub.event.context import current
from loghub.event.trace import current_trace
from loghub.options import environment_tags, names_unknown_options

_STANDARD = frozenset((*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"))
_LENT = "_loghub_lent"


class ContextFilter(logging.Filter):
    """Put bound values and static tags on records, for formatters that do not read them themselves.

    ```yaml
    filters:
      context: {(): loghub.ContextFilter, static: {service: shop}, defaults: {request_id: "-"}}
    formatters:
      plain: {format: "%(asctime)s %(service)s %(request_id)s %(message)s"}
    ```
    A value is that of `static`, else of the record's extra, else of OpenTelemetry's current span (trace_id and
    span_id), else what is bound, else the environment's (LOGHUB_SERVICE, _ENV, _VERSION, _HOSTNAME), else that of
    `defaults`. The attributes of logging itself, as name or message, are never touched.

    Args:
        static: tags whose value is always the same.
        defaults: what a placeholder shows where nothing gives a value.
    """

    @names_unknown_options
    def __init__(
        self, *, static: Mapping[str, object] | None = None, defaults: Mapping[str, object] | None = None
    ) -> None:
        super().__init__()
        self._static = _tags(static, "static")
        self._environment = environment_tags()
        self._defaults = _tags(defaults, "defaults")

    def filter(self, record: logging.LogRecord) -> bool:
        """Add to a record what it lacks."""
        on_record = record.__dict__
        lent: dict[str, Any] = on_record.get(_LENT, {})  # by another filter: no extra, may be replaced

        for key, value in {**self._defaults, **self._environment, **current(), **current_trace()}.items():
            if key not in _STANDARD and (key not in on_record or key in lent):
                on_record[key] = lent[key] = value

        for key, value in self._static.items():
            on_record[key] = lent[key] = value

        on_record[_LENT] = lent
        return True


def _tags(value: Mapping[str, object] | None, option: str) -> dict[str, object]:
    if value is None:
        return {}

    if not isinstance(value, Mapping):
        raise ConfigError("ContextFilter", option, value, "give a mapping, as {service: shop}")

    for key in value:
        if key in _STANDARD:
            raise ConfigError(
                "ContextFilter", option, key, "that is an attribute of logging's own; choose another name"
            )

    # Item by item: a configuration's ext:// and cfg:// values are resolved by [] only.
    return {key: value[key] for key in value}
