"""The plain line straight from a record: what `encode(fields_of(record))` gives, several times faster.

Rules:
1. What repeats is encoded once: a place in the source, a thread, the static fields, a second. Their bytes are joined
   around the two parts that are new in each record, the message and the free fields.
2. Which keys of a record are free, and in what order they stand, depends on its keys alone: a plan is made for each
   combination of keys that is met, and kept. Caches are bounded; a full one is emptied.
3. What is rare is not done here: an exception, a message that is no text, wrong arguments, a
   refused key, a record class of somebody else's, a value that JSON does not know. For these `fields_of` and `encode`
   say what the line is; where both ways can, they give the same bytes, which tests hold against each other.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import orjson

from loghub.event.limits import Limits, exceeds
from loghub.event.model import LEVELS
from loghub.event.plain import PLAIN, plain
from loghub.event.record import IDENTITY, STANDARD, is_refused, surroundings, task_name

_MOST = 4096
_WHO = ("service", "hostname")
_SECOND = 1_000_000
_NEWLINE = orjson.OPT_APPEND_NEWLINE
_STANDARD_KEYS = 24  # at most, beside the free ones
_dumps = orjson.dumps
_place = itemgetter("name", "levelname", "levelno", "module", "funcName", "pathname", "lineno")
_running_in = itemgetter("process", "threadName")


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the free fields of records with the same keys are put together.

    Attributes:
        fields: the keys in the order of the line, static values filled in.
        from_record: those whose value is the record's.
        from_bound: those whose value is the context's.
        identity: standard keys, whose value is a text; left out where it is None.
        is_plain: whether the static values among them are plain.
    """

    fields: dict[str, Any]
    from_record: tuple[str, ...]
    from_bound: tuple[str, ...]
    identity: tuple[str, ...]
    is_plain: bool


class QuickLine:
    """Writes plain lines for one configuration.

    Args:
        static: fields of the configuration.
        environment: what holds where nothing else is said.
        default: gives a value that JSON knows for one that it does not.
        limits: what a line may hold.
        otherwise: writes the line of a record that is none of the usual ones.
    """

    def __init__(
        self,
        static: Mapping[str, Any],
        environment: Mapping[str, Any],
        default: Callable[[Any], Any] | None,
        limits: Limits,
        otherwise: Callable[[logging.LogRecord], bytes],
    ) -> None:
        self._static = dict(static)
        self._environment = dict(environment)
        self._default = default
        self._otherwise = otherwise
        self._limits = limits
        self._harmless = limits.harmless
        self._plans: dict[object, _Plan | None] = {}
        self._places: dict[object, tuple[bytes, bytes]] = {}
        self._threads: dict[object, bytes] = {}
        self._second = (0, b"")
        who = {key: value for key in _WHO if (value := {**environment, **static}.get(key)) is not None}
        self._who = b"," + _inside(who) if who else b""

    def line(self, record: logging.LogRecord) -> bytes:
        """Give the line."""
        try:
            line = self._line(record)
        except Exception:  # noqa: BLE001 (a value that JSON does not know, wrong arguments)
            line = None

        return self._otherwise(record) if line is None else line

    def _line(self, record: logging.LogRecord) -> bytes | None:
        held = record.__dict__
        message = record.msg

        if (
            type(message) is not str
            or record.exc_info
            or record.exc_text
            or record.stack_info
            or type(record) is not logging.LogRecord
        ):
            return None

        around = surroundings()
        shape: object = (tuple(held), tuple(around)) if around else tuple(held)
        plan = self._plans.get(shape) or self._new_plan(shape, held, around)

        if plan is None:
            return None

        free = self._free(plan, held, around) if plan.fields else b"}\n"
        template = b""

        if record.args:
            template = b',"template":' + _dumps(message)
            message %= record.args

        place, running = _place(held), _running_in(held)
        head, origin = self._places.get(place) or self._new_place(place)
        thread = self._threads.get(running) or self._new_thread(running)
        task = task_name(record)

        if task is not None:
            thread += b',"task":' + _dumps(task)

        micros = round(record.created * _SECOND)
        start, text = self._second

        if not 0 <= micros - start < _SECOND:
            start, text = self._new_second(micros)

        parts = (text, micros - start, head, _dumps(message), template, self._who, thread, origin, free)
        line = b'%b%06dZ"%b%b%b%b%b%b%b' % parts

        return line if len(line) <= self._harmless or not exceeds(line, self._limits) else None

    def _free(self, plan: _Plan, held: Mapping[str, Any], around: Mapping[str, Any]) -> bytes:
        """Encode the free fields, as `encode` does with all of them: orjson sees plain values only."""
        fields = plan.fields.copy()
        are_plain = plan.is_plain

        for key in plan.from_record:
            fields[key] = value = held[key]

            if type(value) not in PLAIN:
                are_plain = False

        for key in plan.from_bound:
            fields[key] = value = around[key]

            if type(value) not in PLAIN:
                are_plain = False

        for key in plan.identity:
            value = fields[key]

            if value is None:  # counts as not given
                del fields[key]

                if key in self._environment:
                    raise TypeError(key)

            elif type(value) in (int, float):  # the long way makes a text of it
                raise TypeError(key)

        encoded: bytes = _dumps(fields, None, _NEWLINE) if are_plain else b""

        # A null may stand for a float that is no number.
        if not are_plain or b"null" in encoded:
            encoded = _dumps(plain(fields, self._limits, self._default), None, _NEWLINE)

        return b"," + encoded[1:] if fields else b"}\n"

    def _new_plan(self, shape: object, held: Mapping[str, Any], around: Mapping[str, Any]) -> _Plan | None:
        if shape in self._plans:  # one that is known to be None
            return None

        plan = self._plan(held, around)
        _keep(self._plans, shape, plan)
        return plan

    def _plan(self, held: Mapping[str, Any], around: Mapping[str, Any]) -> _Plan | None:
        static = self._static
        extras = [key for key in held if key not in STANDARD and not str(key).startswith("_loghub")]
        tags = [key for key in self._environment if key not in IDENTITY]
        order = dict.fromkeys((*tags, *around, *static, *extras))

        if any(type(key) is not str or is_refused(key) for key in order):
            return None

        if any(key in order and key not in static for key in _WHO) or len(order) + _STANDARD_KEYS > self._limits.items:
            return None

        environment = self._environment
        wanted = [key for key in IDENTITY[2:] if key in order or key in environment]
        fields = {key: static.get(key, environment.get(key)) for key in wanted}
        fields |= {key: static.get(key, environment.get(key)) for key in order if key not in IDENTITY}
        fields = {
            key: value for key, value in fields.items() if value is not None or key not in IDENTITY or key in order
        }

        return _Plan(
            fields,
            tuple(key for key in fields if key in extras and key not in static),
            tuple(key for key in fields if key in around and key not in static and key not in extras),
            tuple(key for key in fields if key in IDENTITY),
            PLAIN.issuperset(map(type, fields.values())),
        )

    def _new_place(self, place: tuple[Any, ...]) -> tuple[bytes, bytes]:
        name, level, number, module, function, file, line = place
        first = {"level": level} | ({} if LEVELS.get(level) == number else {"levelno": number}) | {"logger": name}
        origin = {"module": module, "function": function, "file": file, "line": line}
        found = {key: value for key, value in origin.items() if value}
        made = (b"," + _inside(first) + b',"message":', b"," + _inside(found) if found else b"")
        _keep(self._places, place, made)
        return made

    def _new_thread(self, running: tuple[Any, ...]) -> bytes:
        found = {key: value for key, value in zip(("process", "thread"), running, strict=True) if value}
        made = b"," + _inside(found) if found else b""
        _keep(self._threads, running, made)
        return made

    def _new_second(self, micros: int) -> tuple[int, bytes]:
        second = micros // 1_000_000
        text = time.strftime('{"timestamp":"%Y-%m-%dT%H:%M:%S.', time.gmtime(second)).encode()
        self._second = made = (second * 1_000_000, text)  # one tuple, replaced whole: threads see the old or the new
        return made


def _inside(fields: Mapping[str, Any]) -> bytes:
    """Give the text between the braces."""
    return _dumps(fields)[1:-1]


def _keep(cache: dict[object, Any], key: object, value: object) -> None:
    if len(cache) >= _MOST:
        cache.clear()

    cache[key] = value
