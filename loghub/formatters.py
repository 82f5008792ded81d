"""Formatters: how a record becomes a line.

`JSONFormatter` writes the plain line of the event schema. It is a python-json-logger
formatter: given that package's options (`fmt`, `timestamp`, `rename_fields` …) it writes
what that package would, with our encoder, which never loses a line.
"""

import json
import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pythonjsonlogger.core import BaseJsonFormatter

from loghub.errors import ConfigError
from loghub.event.encode import Limits, encode
from loghub.event.record import add_message, fields_of
from loghub.event.serializer import Serializer
from loghub.event.values import safe_text
from loghub.options import names_unknown_options

_WRONG = "_loghub_wrong"
_HOOKS = (
    *("add_fields", "process_log_record", "serialize_log_record", "jsonify_log_record"),
    *("formatException", "formatStack", "formatTime", "parse"),
)
_ENVIRONMENT = {"service": "LOGHUB_SERVICE", "hostname": "LOGHUB_HOSTNAME"}


class JSONFormatter(BaseJsonFormatter):
    """Write a record as one JSON object on one line.

    ```yaml
    formatters:
      json: {(): loghub.JSONFormatter, static: {service: shop, component: web}}
    ```

    Args:
        fmt: python-json-logger's fields to write; leave it out for the plain line.
        datefmt: as in python-json-logger.
        style: as in python-json-logger.
        validate: as in python-json-logger.
        static: fields that each line has, as service or component. An `extra` does not override them.
        in_app: packages whose frames in an exception are the application's own, though they are installed;
            without it, those that lie outside of site-packages and the standard library.
        static_fields: python-json-logger's name for `static`.
        json_default: called for a value that JSON does not know; gives one that it does. Dates, UUIDs, enums and
            dataclasses are known, as in python-json-logger's `OrjsonFormatter`.
        json_encoder: a `json.JSONEncoder` that writes the line instead of orjson; slower, as are the next three.
        json_serializer: a function as `json.dumps` that writes it.
        json_indent: spaces to indent by, or True; such a line is many, and the hub does not take it.
        json_ensure_ascii: whether what is not ASCII is escaped.
        prefix: as in python-json-logger, with the other options that follow.
        rename_fields: see `prefix`.
        rename_fields_keep_missing: see `prefix`.
        reserved_attrs: see `prefix`.
        timestamp: see `prefix`.
        defaults: see `prefix`.
        exc_info_as_array: see `prefix`.
        stack_info_as_array: see `prefix`.

    Attributes:
        plain: whether it writes the plain line, which the hub takes.
    """

    @names_unknown_options
    def __init__(  # noqa: PLR0913 (python-json-logger's options, under their names)
        self,
        fmt: str | Sequence[str] | None = None,
        datefmt: str | None = None,
        style: str = "%",
        validate: bool = True,  # noqa: FBT001, FBT002 (the parent's signature)
        *,
        static: Mapping[str, Any] | None = None,
        in_app: Sequence[str] = (),
        static_fields: Mapping[str, Any] | None = None,
        json_default: Callable[[Any], Any] | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
        json_serializer: Callable[..., str | bytes] | None = None,
        json_indent: int | str | None = None,
        json_ensure_ascii: bool = False,
        prefix: str = "",
        rename_fields: dict[str, str] | None = None,
        rename_fields_keep_missing: bool = False,
        reserved_attrs: Sequence[str] | None = None,
        timestamp: bool | str = False,
        defaults: dict[str, Any] | None = None,
        exc_info_as_array: bool = False,
        stack_info_as_array: bool = False,
    ) -> None:
        options = {
            "prefix": prefix,
            "rename_fields": rename_fields,
            "rename_fields_keep_missing": rename_fields_keep_missing,
            "reserved_attrs": reserved_attrs,
            "timestamp": timestamp,
            "defaults": defaults,
            "exc_info_as_array": exc_info_as_array,
            "stack_info_as_array": stack_info_as_array,
        }
        fixed = {**_mapping(static, "static"), **_mapping(static_fields, "static_fields")}
        super().__init__(fmt, datefmt, style, validate, static_fields=fixed, **options)  # type: ignore[arg-type]
        self.json_default = json_default
        self.json_encoder = json_encoder
        self.json_serializer = json_serializer or json.dumps
        self.json_indent = json_indent
        self.json_ensure_ascii = json_ensure_ascii
        self._writes_itself = not (json_encoder or json_serializer or json_indent or json_ensure_ascii)
        self._in_app = _packages(in_app)
        self._has_our_fields = fmt is None and datefmt is None and not any(options.values())
        self.plain = self._has_our_fields and self._writes_itself and not self._has_hooks()
        self._has_own_format = type(self).format is not JSONFormatter.format
        self._environment = _environment()
        self._limits = Limits()

    def format_line(self, record: logging.LogRecord) -> bytes:
        """Give the line as bytes, its newline included; never raises."""
        try:
            if self._has_own_format:
                return self.format(record).encode("utf-8", "backslashreplace") + b"\n"

            return self._line(record)
        except Exception as error:  # noqa: BLE001 (the application must not see a logging error)
            return self._last_resort(record, error)

    def format(self, record: logging.LogRecord) -> str:
        """Give the line as text, without its newline."""
        try:
            return self._line(record)[:-1].decode()
        except Exception as error:  # noqa: BLE001 (as in format_line)
            return self._last_resort(record, error)[:-1].decode()

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Collect the fields for the hooks: the plain line's, or python-json-logger's where its options are given."""
        if self._has_our_fields:
            log_data.update(self._fields(record))
            # formatException and formatStack may be hooks too.
            log_data.update((key, message_dict[key]) for key in ("exc_info", "stack_info") if key in log_data)
        else:
            super().add_fields(log_data, record, message_dict)
            # An extra or a dict as message does not override what is static.
            log_data.update((self.rename_fields.get(key, key), value) for key, value in self.static_fields.items())

        log_data.update(getattr(record, _WRONG, {}))

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Encode what python-json-logger's way of use collected."""
        if self._writes_itself:
            return encode(log_data, self.json_default, self._limits)[:-1].decode()

        options = (self.json_default, self.json_encoder, self.json_serializer, self.json_indent, self.json_ensure_ascii)
        return Serializer(*options).text(log_data, self._limits)

    def _line(self, record: logging.LogRecord) -> bytes:
        if self.plain:
            return encode(self._fields(record), self.json_default, self._limits)

        try:
            text = super().format(record)
        except Exception:  # noqa: BLE001 (wrong arguments, for the most part)
            text = super().format(_readable(record))

        return text.encode("utf-8", "backslashreplace") + b"\n"

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        return fields_of(record, self.static_fields, self._environment, self._in_app)

    def _has_hooks(self) -> bool:
        """Tell whether a subclass overrides a hook of python-json-logger or logging, which then has to run."""
        return any(getattr(type(self), name) is not getattr(JSONFormatter, name) for name in _HOOKS)

    def _last_resort(self, record: logging.LogRecord, error: Exception) -> bytes:
        """Write the plain line where a hook failed, and the least there is where even that fails."""
        wrong = {"format_error": f"{type(error).__name__} while the line was made: {safe_text(error)}"}

        try:
            return encode(self._fields(record) | wrong, self.json_default, self._limits)
        except Exception:  # noqa: BLE001 (a record that somebody made by hand may lack anything)
            known = {"level": "levelname", "logger": "name", "message": "msg"}
            return encode(
                {key: safe_text(getattr(record, name, "")) for key, name in known.items()} | wrong, None, self._limits
            )


def _readable(record: logging.LogRecord) -> logging.LogRecord:
    """Give a copy of a record with wrong arguments whose message is the raw template."""
    found: dict[str, Any] = {}
    wrong = add_message(found, record)
    copy = logging.makeLogRecord(record.__dict__)

    if not isinstance(record.msg, dict):
        copy.msg, copy.args = found["message"], None

    setattr(copy, _WRONG, wrong)
    return copy


def _mapping(value: Mapping[str, Any] | None, option: str) -> dict[str, Any]:
    if value is None:
        return {}

    if not isinstance(value, Mapping):
        raise ConfigError("JSONFormatter", option, value, "give a mapping, as {service: shop}")

    # Item by item: a configuration's ext:// and cfg:// values are resolved by [] only.
    return {key: value[key] for key in value}


def _packages(value: Sequence[str]) -> tuple[str, ...]:
    packages = (value,) if isinstance(value, str) else tuple(value)

    for package in packages:
        if not all(part.isidentifier() for part in str(package).split(".")):
            raise ConfigError("JSONFormatter", "in_app", value, "give names of packages, as [shop, shop_client]")

    return packages


def _environment() -> dict[str, str]:
    found = {key: text for key, name in _ENVIRONMENT.items() if (text := os.environ.get(name))}
    return {"hostname": socket.gethostname()} | found
