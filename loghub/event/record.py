"""From a record to the fields of the plain line: order, precedence and what may not be spoofed.

Rules (schema of the event):
1. Keys stand in the order of the line; a key that has no value is absent.
2. For service, hostname, component, request_id, trace_id and span_id a static value wins over
   an extra, an extra over a bound value, a bound value over the environment. Other free keys alike.
3. An extra under any other standard key, or one that starts with "_", goes into "extra";
   a key that is no text becomes one, and a dict as message without "message" has an empty one.
"""

import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loghub.event.context import current, registry
from loghub.event.exceptions import describe
from loghub.event.model import KEYS, LEVELS, TAIL_KEYS
from loghub.event.trace import MODULE, current_trace
from loghub.event.tracebacks import stack_text, traceback_text
from loghub.event.values import exact_text, safe_text

IDENTITY = ("service", "hostname", "component", "request_id", "trace_id", "span_id")
"""Standard keys that an application may set: as static, extra or bound value."""

STANDARD = frozenset(
    (
        *logging.makeLogRecord({}).__dict__,
        *("message", "asctime", "taskName"),
    )
)
"""Attributes that a record has from logging itself; the others are extras."""

_RESERVED = frozenset((*KEYS, *TAIL_KEYS)) - frozenset(IDENTITY)
_second: tuple[int, str] = (-1, "")


def fields_of(
    record: logging.LogRecord,
    static: Mapping[str, Any],
    environment: Mapping[str, Any],
    in_app: Sequence[str] = (),
    local_text: Callable[[str], str] | None = None,
) -> dict[str, Any]:
    """Give the fields of the plain line.

    Args:
        record: as the logger made it; it is not changed.
        static: fields of the configuration, the same in each line.
        environment: what holds where nothing else is said, as the host name.
        in_app: packages whose frames are the application's own.
        local_text: see `describe`.
    """
    free = _free_fields(record, static, environment)
    identity = {key: value for key in IDENTITY if (value := _identity(free, environment, key)) is not None}
    fields: dict[str, Any] = {"timestamp": timestamp(record.created), "level": record.levelname}

    if LEVELS.get(record.levelname) != record.levelno:
        fields["levelno"] = record.levelno

    fields["logger"] = record.name
    wrong = add_message(fields, record)
    _copy(fields, identity, ("service", "hostname"))
    _add_origin(fields, record)
    _copy(fields, identity, ("component", "request_id", "trace_id", "span_id"))
    fields.update(_checked(free))
    _add_exception(fields, record, in_app, local_text)
    fields.update(wrong)
    return fields


def _identity(free: dict[Any, Any], environment: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 (whatever was given)
    """Take a standard key out of the free ones: None counts as not given, a number as its text."""
    value = free.pop(key, None)
    value = environment.get(key) if value is None else value
    return str(value) if type(value) in (int, float) else value


def timestamp(created: float) -> str:
    """Write a record's time as RFC 3339 in UTC with six digits; the part up to the second is made once a second."""
    global _second  # noqa: PLW0603 (one tuple, replaced whole: threads see the old one or the new one)
    micros = round(created * 1_000_000)
    second, rest = divmod(micros, 1_000_000)
    known, text = _second

    if second != known:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _second = (second, text)

    return f"{text}.{rest:06d}Z"


def surroundings() -> dict[str, Any]:
    """Give what is bound in this context, and the ids of OpenTelemetry's current span."""
    if not registry and MODULE not in sys.modules:  # by far the most frequent case
        return {}

    bound, traced = current(), current_trace()
    return bound | traced if traced else bound


def _free_fields(
    record: logging.LogRecord, static: Mapping[str, Any], environment: Mapping[str, Any]
) -> dict[Any, Any]:
    extras = {key: value for key, value in record.__dict__.items() if key not in STANDARD}
    message: Any = record.msg

    if is_object(message):
        # Past any method of a subclass, and without asking a key what it thinks it equals.
        rest = {
            key: value
            for key, value in dict.items(message)
            if not (type(key) is str and key == "message" and type(value) is str)
        }
        extras = rest | extras

    # The order is that of the first mention, the value that of the last.
    tags = {key: value for key, value in environment.items() if key not in IDENTITY}
    return {**tags, **surroundings(), **static, **extras, **static}


def _checked(free: dict[Any, Any]) -> dict[str, Any]:
    """Put what may not stand at the top level under "extra"; our own marks on the record are left out."""
    if all(type(key) is str and key not in _RESERVED and not key.startswith("_") for key in free):
        return free

    outside: dict[str, Any] = {}
    kept: dict[str, Any] = {}

    for key, value in free.items():
        place = kept if is_refused(key) else outside
        place[_name(key, free)] = value

    kept = {key: value for key, value in kept.items() if not key.startswith("_loghub")}

    if kept and "extra" in outside:  # an extra of that very name
        kept["extra"] = outside.pop("extra")

    return {**outside, "extra": kept} if kept else outside


def _name(key: object, free: Mapping[Any, Any]) -> str:
    """Give a key as text; one that was none must not take the place of another."""
    if isinstance(key, str):
        return exact_text(key)

    name = safe_text(key)
    return f"{name}~2" if name in free else name


def is_refused(key: object) -> bool:
    """Tell whether a free field may not stand at the top level under this key."""
    return isinstance(key, str) and (key in _RESERVED or key.startswith("_"))


def is_object(message: object) -> bool:
    """Tell whether a message is a dict, which is merged; a mock may only say that it is one."""
    return issubclass(type(message), dict)


def add_message(fields: dict[str, Any], record: logging.LogRecord) -> dict[str, Any]:
    """Add message and template; give back what to say of wrong arguments at the end of the line."""
    template: Any = record.msg

    if is_object(template):
        message = dict.get(template, "message")
        fields["message"] = message if isinstance(message, str) else ""
        return {}

    try:
        fields["message"] = record.getMessage()
    except Exception as error:  # noqa: BLE001 (a user's __str__ or a wrong % may raise anything)
        fields["message"] = _shown(template)
        return {"format_error": f"{type(error).__name__}: {safe_text(error)}", "args": _shown(record.args)}

    if record.args and isinstance(template, str):
        fields["template"] = template

    return {}


def _shown(value: object) -> str:
    """Show a value as text, also one whose `__repr__` raises."""
    try:
        return value if isinstance(value, str) else repr(value)
    except Exception:  # noqa: BLE001 (a user's __repr__ may raise anything)
        return f"<{type(value).__name__}>"


def _copy(fields: dict[str, Any], source: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    fields.update((key, source[key]) for key in keys if key in source)


def _add_origin(fields: dict[str, Any], record: logging.LogRecord) -> None:
    """Add process, thread, task and the place in the source, each where it is known."""
    fields["process"] = record.process
    fields["thread"] = record.threadName
    fields["task"] = task_name(record)
    fields["module"] = record.module
    fields["function"] = record.funcName
    fields["file"] = record.pathname
    fields["line"] = record.lineno

    for key in [key for key in ("process", "thread", "task", "module", "function", "file", "line") if not fields[key]]:
        del fields[key]


def task_name(record: logging.LogRecord) -> str | None:
    """Give the asyncio task's name; before Python 3.12 a record does not have it."""
    if sys.version_info >= (3, 12):
        return record.taskName

    asyncio = sys.modules.get("asyncio")  # what nobody imported runs no task

    if asyncio is None or asyncio._get_running_loop() is None:  # noqa: SLF001 (the public call raises without a loop)
        return None

    task = asyncio.current_task()
    return None if task is None else str(task.get_name())


def _add_exception(
    fields: dict[str, Any],
    record: logging.LogRecord,
    in_app: Sequence[str],
    local_text: Callable[[str], str] | None,
) -> None:
    error = record.exc_info[1] if record.exc_info else None

    if record.exc_text or error is not None:
        fields["exc_info"] = record.exc_text or traceback_text(record.exc_info)  # type: ignore[arg-type]

    if error is not None:
        fields["exception"] = describe(error, in_app, local_text)

    if record.stack_info:
        fields["stack_info"] = stack_text(record.stack_info)
