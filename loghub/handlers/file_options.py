"""The options of `JSONFileHandler` as people write them, read once; those that contradict one another are refused."""

import codecs
import datetime as dt
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from loghub.errors import ConfigError
from loghub.handlers.compression import parse_compression
from loghub.handlers.fallback import Fallback, parse_fallback
from loghub.handlers.line_worker import Queue
from loghub.handlers.log_file import Opening
from loghub.handlers.retention import Retention, parse_retention
from loghub.handlers.rotation import Rotation, parse_rotation
from loghub.options import choice, count, duration, size, switch, text

_PLACE = re.compile(r"\{\{|\}\}|\{([a-z]+)(?::([^{}]*))?\}|[{}]")
_MODES = {
    f"{kind}{rest}": kind for kind in "awx" for rest in ("", "b", "t", "+", "b+", "+b", "t+", "+t")
}  # what `open` takes, except for reading
_STARTS = {"append": "append", "roll": "roll", "truncate": "truncate"}
_DURABILITIES = {"process": "process", "interval": "interval", "record": "record"}

_WRITES = {"direct": False, "async": True}
_OVERFLOWS = {name: name for name in ("block", "drop_oldest", "drop_new", "by_level")}
_QUEUE = ("queue", "queue_bytes", "overflow", "block_timeout", "exit_deadline")
_ESCAPE = "loghub_escape"
_USERS = ("pwd", "getpwnam", "pw_uid")
_GROUPS = ("grp", "getgrnam", "gr_gid")
_BY_TIME = ("when", "interval", "utc", "atTime")
_BY_SIZE = ("maxBytes", "backupCount")
_KEPT = ("keep", "keep_files", "keep_total", "keep_free")
_HUMANE = ("rotate", *_KEPT, "compress")

Options = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FileSettings:
    """What the options say.

    Attributes:
        name: gives the file's path.
        mode: how it is opened first: "a", "w" or "x".
        start: what is done at the start: "append", "roll" or "truncate".
        opening: how it is opened.
        rotation: when it is rolled over, in our words.
        retention: what is kept then.
        form: how segments are compressed: "", ".gz" or ".zst".
        by_time: the standard library's options of time that are given.
        delay: whether the file is opened with the first line only.
        max_bytes: its limit.
        backups: how many old files it keeps.
        is_standard: whether the file is rolled over as the standard library does.
        encoding: None for UTF-8.
        errors: what is done about characters that the encoding lacks.
        look_every: seconds between looks whether the file has the name.
        waiting: lines that may wait.
        waiting_bytes: their bytes.
        fallback: takes what may not wait.
        durability: "process", "interval" or "record".
        queue: bounds of the queue of `write: async`; None for direct.
    """

    name: Callable[[], Path]
    mode: str
    start: str
    opening: Opening
    rotation: Rotation
    retention: Retention
    form: str
    by_time: Options
    delay: bool
    max_bytes: int
    backups: int
    is_standard: bool
    encoding: str | None
    errors: str
    look_every: float
    waiting: int
    waiting_bytes: int
    fallback: Fallback | None
    durability: str
    queue: Queue | None


def parse_settings(given: Options, owner: str) -> FileSettings:
    """Read all options of a handler.

    Args:
        given: the constructor's arguments by their names.
        owner: the handler's class.

    Raises:
        ConfigError: an option is wrong, or contradicts another one.
    """
    by_time = {name: given[name] for name in _BY_TIME if given[name] is not None} | _time_of_day(given["atTime"], owner)
    by_size = {name: given[name] for name in _BY_SIZE if given[name]}
    _refuse_contradictions(by_time | by_size, {n: given[n] for n in _HUMANE if given[n] is not None}, owner)
    mode, start = _mode(given["mode"], given["on_start"], owner, rolls=bool(given["maxBytes"] or by_time))
    encoding, errors = _encoding(given["encoding"], given["errors"], owner)

    return FileSettings(
        name=parse_filename(given["filename"], owner),
        mode=mode,
        start=start,
        opening=_opening(mode, start, given, owner),
        rotation=parse_rotation(given["rotate"], owner),
        retention=parse_retention(
            *(given["keep"], given["keep_files"], owner), keep_total=given["keep_total"], keep_free=given["keep_free"]
        ),
        form=parse_compression(given["compress"], owner),
        by_time=by_time,
        delay=switch(given["delay"], owner, "delay"),
        max_bytes=size(given["maxBytes"], owner, "maxBytes"),
        backups=count(given["backupCount"], owner, "backupCount", least=0),
        is_standard=bool(by_time or by_size),
        encoding=encoding,
        errors=errors,
        look_every=duration(given["look_every"], owner, "look_every"),
        waiting=count(given["waiting"], owner, "waiting", least=0),
        waiting_bytes=size(given["waiting_bytes"], owner, "waiting_bytes"),
        fallback=parse_fallback(given["fallback"], owner),
        durability=choice(given["durability"], owner, "durability", _DURABILITIES),
        queue=_queue(given, owner),
    )


def parse_filename(value: object, owner: str) -> Callable[[], Path]:
    """Read the option `filename`, with {hostname}, {process} and {date} or {date:%Y-%m} in it; `{{` is a brace.

    Returns:
        A function that gives the absolute path as it is now; links stay.

    Raises:
        ConfigError: there is something else in braces.
    """
    name = os.path.abspath(text(value, owner, "filename"))  # noqa: PTH100 (as FileHandler: links stay)

    if not _PLACE.search(name):
        path = Path(name)
        return lambda: path

    fill: dict[str, Callable[[str], str]] = {
        "hostname": lambda _: socket.gethostname(),
        "process": lambda _: str(os.getpid()),
        "date": lambda form: time.strftime(form or "%Y-%m-%d"),
    }

    for found in _PLACE.finditer(name):
        if found[0] not in ("{{", "}}") and found[1] not in fill:
            raise ConfigError(
                owner, "filename", value, "in braces stand hostname, process or date:%Y-%m-%d; {{ is a brace"
            )

    def put(found: re.Match[str]) -> str:
        return found[0][0] if found[1] is None else fill[found[1]](found[2])

    return lambda: Path(_PLACE.sub(put, name))


def _refuse_contradictions(standard: Options, humane: Options, owner: str) -> None:
    """Refuse options of the standard library beside those that say the same in our words.

    Args:
        standard: those of the standard library that are given.
        humane: ours that are given.
        owner: who has them.

    Raises:
        ConfigError: names both.
    """
    if standard and humane:
        name, other = next(iter(standard)), next(iter(humane))
        remedy = f"it contradicts {other}={humane[other]!r}; give rotate and keep, or the standard library's options"
        raise ConfigError(owner, name, standard[name], remedy)

    if "maxBytes" in standard and "when" in standard:
        remedy = "it contradicts when; for size and time together write rotate: [100 MB, midnight]"
        raise ConfigError(owner, "maxBytes", standard["maxBytes"], remedy)


def _mode(mode: object, on_start: object, owner: str, *, rolls: bool) -> tuple[str, str]:
    """Read `mode` and `on_start`.

    Returns:
        The mode's kind, "a", "w" or "x", and what is done at the start: "append", "roll" or "truncate".
    """
    kind = choice(mode, owner, "mode", _MODES)
    start = choice(on_start, owner, "on_start", _STARTS)

    if kind == "w" and start != "append":
        raise ConfigError(owner, "on_start", on_start, f"it contradicts mode={mode!r}; leave one of them out")

    # As RotatingFileHandler: a file that is rolled over is not deleted at each start.
    return ("a" if kind == "w" and rolls else kind), start


def _time_of_day(value: object, owner: str) -> dict[str, dt.time]:
    """Read `atTime`: a `datetime.time`, or text, since configuration files have no such thing."""
    if value is None:
        return {}

    if isinstance(value, dt.time):
        return {"atTime": value}

    try:
        return {"atTime": dt.time.fromisoformat(value if isinstance(value, str) else "")}
    except ValueError:
        raise ConfigError(owner, "atTime", value, 'give a time of the day in quotes, as "03:30"') from None


def _queue(options: Options, owner: str) -> Queue | None:
    """Read `write` and the options of the queue, which `write: async` alone has."""
    given = {name: options[name] for name in _QUEUE if options[name] is not None}

    if not choice(options["write"], owner, "write", _WRITES):
        if given:
            name = next(iter(given))
            raise ConfigError(owner, name, given[name], "there is no queue with write: direct; give write: async")

        return None

    usual = Queue()
    return Queue(
        lines=count(given.get("queue", usual.lines), owner, "queue"),
        size=size(given.get("queue_bytes", usual.size), owner, "queue_bytes"),
        overflow=choice(given.get("overflow", usual.overflow), owner, "overflow", _OVERFLOWS),
        timeout=duration(given.get("block_timeout", usual.timeout), owner, "block_timeout"),
        deadline=duration(given.get("exit_deadline", usual.deadline), owner, "exit_deadline"),
    )


def _opening(kind: str, start: str, options: Options, owner: str) -> Opening:
    """Read `permissions`, `owner`, `group` and `shared`, into the way a file is opened."""
    shared = options["shared"]
    return Opening(
        truncate=kind == "w" or start == "truncate",
        exclusive=kind == "x",
        permissions=_permissions(options["permissions"], owner),
        user=_id(options["owner"], owner, "owner", _USERS),
        group=_id(options["group"], owner, "group", _GROUPS),
        shared=sys.platform != "win32" if shared is None else switch(shared, owner, "shared"),
        synced=choice(options["durability"], owner, "durability", _DURABILITIES) != "process",
    )


def _encoding(encoding: object, errors: object, owner: str) -> tuple[str | None, str]:
    """Read `encoding` and `errors`; None for UTF-8, which lines have anyway."""
    name = None if encoding is None else text(encoding, owner, "encoding")
    handling = _ESCAPE if errors is None else text(errors, owner, "errors")

    try:
        codecs.lookup_error(handling)
        newline = "\n".encode(name or "utf-8")
    except LookupError:
        option, value = ("encoding", encoding) if _is_unknown(name) else ("errors", errors)
        raise ConfigError(owner, option, value, "Python knows no such name; leave it out for UTF-8") from None

    if newline != b"\n":
        raise ConfigError(owner, "encoding", encoding, "a line must end in one byte: give utf-8, ascii or latin-1")

    return (None if name is None or codecs.lookup(name).name == "utf-8" else name), handling


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks as JSON has it in its texts."""
    if not isinstance(error, UnicodeEncodeError):
        raise error

    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)), error.end


codecs.register_error(_ESCAPE, _escape)


def _is_unknown(encoding: str | None) -> bool:
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        return True

    return False


def _permissions(value: object, owner: str) -> int | None:
    if value is None:
        return None

    # A number would be 640 in one format and 0640 = 416 in another.
    if isinstance(value, str) and re.fullmatch(r"(0o?)?[0-7]{3,4}", value):
        return int(value.removeprefix("0o"), 8)

    raise ConfigError(owner, "permissions", value, 'give octal digits in quotes, as "0640"')


def _id(value: object, owner: str, option: str, table: tuple[str, str, str]) -> int:
    module, look_up, attribute = table

    if value is None:
        return -1

    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value

    try:
        found = getattr(import_module(module), look_up)(text(value, owner, option))
        return int(getattr(found, attribute))
    except (KeyError, ImportError):
        raise ConfigError(owner, option, value, "there is none of this name here; give a name or a number") from None
