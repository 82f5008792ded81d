"""Formatters: how a record becomes a line.

`JSONFormatter` writes the plain line of the event schema. It is a python-json-logger
formatter: given that package's options (`fmt`, `timestamp`, `rename_fields` …) it writes
what that package would, with our encoder, which never loses a line.
"""

import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pythonjsonlogger.core import BaseJsonFormatter

from loghub.errors import ConfigError
from loghub.event.encode import encode
from loghub.event.record import fields_of
from loghub.options import names_unknown_options

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
        json_default: called for a value that JSON does not know; gives one that it does.
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
        self._in_app = _packages(in_app)
        self._has_our_fields = fmt is None and datefmt is None and not any(options.values())
        self.plain = self._has_our_fields and not self._has_hooks()
        self._environment = _environment()

    def format_line(self, record: logging.LogRecord) -> bytes:
        """Give the line as bytes, its newline included; never raises."""
        try:
            if self.plain:
                return encode(fields_of(record, self.static_fields, self._environment, self._in_app), self.json_default)

            return super().format(record).encode("utf-8", "backslashreplace") + b"\n"
        except Exception as error:  # noqa: BLE001 (the application must not see a logging error)
            return _last_resort(record, error)

    def format(self, record: logging.LogRecord) -> str:
        """Give the line as text, without its newline."""
        return self.format_line(record)[:-1].decode()

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Collect the fields for the hooks: the plain line's, or python-json-logger's where its options are given."""
        if self._has_our_fields:
            log_data.update(fields_of(record, self.static_fields, self._environment, self._in_app))
            return

        super().add_fields(log_data, record, message_dict)

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Encode what python-json-logger's way of use collected."""
        return encode(log_data, self.json_default)[:-1].decode()

    def _has_hooks(self) -> bool:
        """Tell whether a subclass overrides a hook of python-json-logger, which then has to run."""
        hooks = ("add_fields", "process_log_record", "serialize_log_record", "jsonify_log_record")
        return any(getattr(type(self), name) is not getattr(JSONFormatter, name) for name in hooks)


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


def _last_resort(record: logging.LogRecord, error: Exception) -> bytes:
    return encode(
        {
            "level": str(record.levelname),
            "logger": str(record.name),
            "message": str(record.msg) if isinstance(record.msg, str) else f"<{type(record.msg).__name__}>",
            "format_error": f"{type(error).__name__} while the line was made",
            "encode_fallback": True,
        }
    )
