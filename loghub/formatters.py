"""Formatters: how a record becomes a line.

`JSONFormatter` writes the plain line of the event schema. It is a python-json-logger
formatter: given that package's options (`fmt`, `timestamp`, `rename_fields` …) it writes
what that package would, with our encoder, which never loses a line.
"""

import json
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from pythonjsonlogger.core import BaseJsonFormatter
from pythonjsonlogger.json import JsonEncoder

from loghub.errors import ConfigError
from loghub.event.encode import Limits, decode, encode
from loghub.event.mask import Mask
from loghub.event.presets import PRESETS, TEXT_ONLY
from loghub.event.quick import QuickLine
from loghub.event.record import add_message, fields_of, is_object
from loghub.event.serializer import Serializer
from loghub.event.sharing import SharedLine, Sharing, group_of
from loghub.event.values import safe_text
from loghub.formatter_options import limits, mapping, packages, rules
from loghub.options import choice, environment_tags, names_unknown_options, switch

_WRONG = "_loghub_wrong"
_HOOKS = (
    *("add_fields", "process_log_record", "serialize_log_record", "jsonify_log_record"),
    *("formatException", "formatStack", "formatTime", "parse"),
)
_SHAPING = (
    *("prefix", "rename_fields", "rename_fields_keep_missing", "timestamp", "defaults"),
    *("exc_info_as_array", "stack_info_as_array"),
)
_MARKS = (b'"encode_fallback":true', b'"truncated":[')
_MAX_FITS = 8
_SPARE = 16


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
        mask: names and patterns of secrets, which are replaced by `***`, as [password, "card_*", {pattern: email}].
        preset: the shape of the line: plain, ecs, otel, gcp, datadog, logstash or gelf.
        locals: whether an exception's last frames have their local variables, masked.
        max_line: bytes of a line, as 1_000_000 or "1 MB"; what is over this or the next three is cut, and marked.
        max_depth: objects and lists inside one another.
        max_items: members of an object or list.
        max_string: characters of a text.
        json_default: called for a value that JSON does not know; gives one that it does. It is asked about what
            `json.dumps` would ask it about, as in python-json-logger's `JsonFormatter`: dates, UUIDs, enums and
            dataclasses too.
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
        masks: whether it hides secrets.
    """

    _PRESET: str | None = None

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
        mask: Sequence[str | Mapping[str, str]] = (),
        preset: str | None = None,
        locals: bool = False,  # noqa: A002 (the option's name)
        max_line: int | str = 1_000_000,
        max_depth: int = 32,
        max_items: int = 10_000,
        max_string: int = 65_536,
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
        fixed = {**mapping(static, "static"), **mapping(static_fields, "static_fields")}
        super().__init__(fmt, datefmt, style, validate, static_fields=fixed, **options)  # type: ignore[arg-type]
        self.json_default = json_default
        # Where neither is given, a hook finds the one that `JsonFormatter` has; our own forms are richer.
        self.json_encoder = json_encoder or (None if json_default else JsonEncoder)
        self._has_given_encoder = json_encoder is not None
        self.json_serializer = json_serializer or json.dumps
        self.json_indent = json_indent
        self.json_ensure_ascii = json_ensure_ascii
        self._in_app = packages(in_app)
        self._limits = limits(max_line, max_depth, max_items, max_string)
        self._mask = Mask(rules(mask), json_default) if mask else None
        self._mask_shown = repr(mask)
        self.masks = self._mask is not None
        self._has_locals = switch(locals, "JSONFormatter", "locals")
        # An empty list reserves nothing.
        self._has_format = fmt is not None or datefmt is not None or reserved_attrs is not None
        self._preset_name = self._preset(preset)
        self._shape = PRESETS[self._preset_name]
        self._has_own_format = type(self).format is not JSONFormatter.format
        self._environment = {"hostname": socket.gethostname()} | environment_tags()

    # What follows is asked at the first line: a subclass may set an attribute after this constructor.

    @cached_property
    def _has_our_fields(self) -> bool:
        return not self._is_reshaped()

    @cached_property
    def _has_encoder(self) -> bool:
        return self._has_given_encoder or self.json_encoder not in (None, JsonEncoder)

    @cached_property
    def _writes_itself(self) -> bool:
        plain = self.json_serializer is json.dumps and not (self.json_indent or self.json_ensure_ascii)
        return plain and not self._has_encoder

    @cached_property
    def is_declared(self) -> bool:
        """Whether options alone say what it writes, and no hook of a subclass or of python-json-logger."""
        has_hooks = any(getattr(type(self), name) is not getattr(JSONFormatter, name) for name in _HOOKS)
        return self._has_our_fields and self._writes_itself and not has_hooks

    @cached_property
    def plain(self) -> bool:
        """Whether it writes the plain line, which the hub takes."""
        return self.is_declared and self._preset_name == "plain"

    @cached_property
    def write_line(self) -> Callable[[logging.LogRecord], bytes]:
        """What handlers call: the shortest way to what `format_line` gives."""
        has_own = self._has_own_format or type(self).format_line is not JSONFormatter.format_line
        return self._declared.line if self.is_declared and not has_own else self.format_line

    @cached_property
    def _declared(self) -> Sharing:
        return group_of(self._configuration(), self._begin_group)

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
            log_data.update(self.fields(record))
            # formatException and formatStack may be hooks too.
            log_data.update((key, message_dict[key]) for key in ("exc_info", "stack_info") if key in log_data)
        else:
            super().add_fields(log_data, record, message_dict)
            log_data.update(self._standing(record))

        log_data.update(getattr(record, _WRONG, {}))

        if self._mask is not None:
            masked = self._mask.fields(log_data, record.msg, record.args)
            log_data.clear()
            log_data.update(masked)

    def _standing(self, record: logging.LogRecord) -> dict[str, Any]:
        """Give the static fields that stand: what the formatter says itself overrides one, nothing else does."""
        timestamp = self.timestamp if isinstance(self.timestamp, str) else "timestamp"
        said: dict[str, object] = {"exc_info": record.exc_info or record.exc_text, "stack_info": record.stack_info}
        said[timestamp] = said.get(timestamp) or self.timestamp
        own = {self.rename_fields.get(key, key) for key, is_said in said.items() if is_said}
        static = {self.rename_fields.get(key, key): value for key, value in self.static_fields.items()}
        return {key: value for key, value in static.items() if key not in own}

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Encode what python-json-logger's way of use collected."""
        # Once more: a hook may have added what is masked.
        log_data = self._mask.fields(log_data) if self._mask is not None else log_data

        if self._writes_itself:
            return self._encoded(log_data)[:-1].decode()

        encoder = self.json_encoder if self._has_encoder else None
        options = (self.json_default, encoder, self.json_serializer, self.json_indent, self.json_ensure_ascii)
        return Serializer(*options).text(self._shape(log_data), self._limits)

    def _line(self, record: logging.LogRecord) -> bytes:
        if self.is_declared:
            return self._declared.line(record)

        try:
            text = super().format(record)
        except Exception:  # noqa: BLE001 (wrong arguments, for the most part)
            text = super().format(_readable(record))

        return text.encode("utf-8", "backslashreplace") + b"\n"

    def _begin_group(self) -> Sharing:
        """Give what writes a line of which each part is said by an option: no hook has to run."""
        if not self.plain or self.masks:
            return SharedLine(self._declared_line)

        return QuickLine(self.static_fields, self._environment, self.json_default, self._limits, self._declared_line)

    def _declared_line(self, record: logging.LogRecord) -> bytes:
        try:
            return self._encoded(self.fields(record))
        except Exception as error:  # noqa: BLE001 (as in format_line)
            return self._last_resort(record, error)

    def _encoded(self, fields: dict[str, Any]) -> bytes:
        if self._preset_name not in TEXT_ONLY:
            line = encode(self._shape(fields), self.json_default, self._limits)

            if self._preset_name == "plain" or not any(mark in line for mark in _MARKS):
                return line

        return self._encoded_by_plain(fields)

    def _encoded_by_plain(self, fields: dict[str, Any]) -> bytes:
        """Make the marks where they are fields, in the plain line, and the preset's line of that; it may be longer."""
        most = self._limits.line_bytes
        limits = self._limits

        for _ in range(_MAX_FITS):
            line = encode(self._shape(decode(encode(fields, self.json_default, limits))))

            if len(line) <= most:
                break

            room = limits.line_bytes * most // len(line) - _SPARE
            limits = replace(limits, line_bytes=max(room, Limits.LEAST))

        return line

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Give the fields of the plain line, masked."""
        mask = self._mask
        local_text = (mask.text if mask is not None else str) if self._has_locals else None
        fields = fields_of(record, self.static_fields, self._environment, self._in_app, local_text)

        if mask is None:
            return fields

        error = record.exc_info[1] if record.exc_info else None
        return mask.fields(fields, record.msg, record.args, error)

    def _preset(self, preset: str | None) -> str:
        name = choice(preset or self._PRESET or "plain", "JSONFormatter", "preset", {name: name for name in PRESETS})

        if self._PRESET not in (None, name):
            raise ConfigError(type(self).__name__, "preset", preset, "leave it out, or take loghub.JSONFormatter")

        if name != "plain" and self._is_reshaped():
            remedy = "a preset has its own fields; leave out fmt, datefmt, timestamp, prefix and the renaming options"
            raise ConfigError(type(self).__name__, "preset", name, remedy)

        return name

    def _is_reshaped(self) -> bool:
        return self._has_format or any(getattr(self, name) for name in _SHAPING)

    def _configuration(self) -> tuple[object, ...]:
        """Give all that a line depends on, besides the record."""
        static = encode(self.static_fields, None, self._limits)
        fixed = (static, encode(self._environment), self._in_app, self._mask_shown, self._has_locals)
        return (type(self), *fixed, self._preset_name, self._limits, id(self.json_default))

    def _last_resort(self, record: logging.LogRecord, error: Exception) -> bytes:
        """Write the plain line where a hook failed, and the least there is where even that fails."""
        wrong = {"format_error": f"{type(error).__name__} while the line was made: {safe_text(error)}"}

        try:
            return encode(self._shape(self.fields(record) | wrong), self.json_default, self._limits)
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

    if not is_object(record.msg):
        copy.msg, copy.args = found["message"], None

    setattr(copy, _WRONG, wrong)
    return copy


class ECSFormatter(JSONFormatter):
    """Write the Elastic Common Schema: `preset: ecs`."""

    _PRESET = "ecs"


class OTelFormatter(JSONFormatter):
    """Write OpenTelemetry's log data model: `preset: otel`."""

    _PRESET = "otel"


class GCPFormatter(JSONFormatter):
    """Write Google Cloud Logging's structured line: `preset: gcp`."""

    _PRESET = "gcp"


class DatadogFormatter(JSONFormatter):
    """Write Datadog's standard attributes: `preset: datadog`."""

    _PRESET = "datadog"


class LogstashFormatter(JSONFormatter):
    """Write Logstash's event: `preset: logstash`."""

    _PRESET = "logstash"


class GELFFormatter(JSONFormatter):
    """Write Graylog's GELF: `preset: gelf`."""

    _PRESET = "gelf"
