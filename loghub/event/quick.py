"""The plain line straight from a record: what `encode(fields_of(record))` gives, several times faster.

Rules:
1. What repeats is encoded once: a place in the source, a thread, the static fields, a second. Their bytes are joined
   around the two parts that are new in each record, the message and the free fields.
2. Records of one place in the source are mostly alike: the same logger and level, the same keys. What was learnt of
   them (a site) serves while it holds, which is looked at for each record: every attribute that the site knows is
   there, those that its bytes are made of are the same, and there are no others. A place whose records alternate
   finds its sites again among all of them. Caches are bounded; a full one is emptied.
3. What is rare is not done here: an exception, a message that is no text, wrong arguments, a
   refused key, a record class of somebody else's, a value that JSON does not know. For these `fields_of` and `encode`
   say what the line is; where both ways can, they give the same bytes, which tests hold against each other.
"""

import logging
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import orjson

from loghub.event.context import registry
from loghub.event.free import WHO, Configured, Plan
from loghub.event.limits import Limits, exceeds
from loghub.event.model import LEVELS
from loghub.event.record import surroundings, task_name
from loghub.event.sharing import Sharing
from loghub.event.trace import MODULE

_MOST = 4096
_SECOND = 1_000_000
_PLACE = ("pathname", "lineno")
_LIKE = (
    *("name", "levelname", "levelno", "filename", "module", "funcName", "process", "processName"),
    *("exc_info", "exc_text", "stack_info"),
)
_HAS_TASK = sys.version_info >= (3, 12)  # from Python 3.12 on
_NEW = ("msg", "args", "created", "threadName", "thread", "msecs", "relativeCreated", "taskName")
_NOTHING: dict[str, Any] = {}
_Record = logging.LogRecord
_dumps = orjson.dumps
_modules = sys.modules
_like = itemgetter(*_LIKE)
_new = itemgetter(*_NEW[: 8 if _HAS_TASK else 7], *() if _HAS_TASK else ("msg",))


@dataclass(slots=True)
class _Site:
    """What is known of records of one place that are alike.

    Attributes:
        attributes: how many they have.
        like: their values under `_LIKE`.
        values: gives the free fields of a record.
        around: the keys of what is bound.
        plan: how the free fields are written.
        head: the bytes between the time and the message.
        origin: the bytes from the module to the line's number, and the comma before free fields.
        threads: for each thread's name the template of a line: of the second, microseconds, message (and what it was
            made of), free fields; and that of a line in a task.
    """

    attributes: int
    like: tuple[Any, ...]
    values: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    around: tuple[str, ...]
    plan: Plan
    head: bytes
    origin: bytes
    threads: dict[object, tuple[bytes, bytes]] = field(default_factory=dict)


class QuickLine(Sharing):
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
        super().__init__()
        self._configured = Configured(dict(static), dict(environment), default, limits)
        self._otherwise = otherwise
        self._limits = limits
        self._harmless = limits.harmless
        self._latest: dict[object, _Site] = {}  # by place
        self._sites: dict[object, _Site | None] = {}  # by all that makes records alike
        self._second = (0, b"")
        who = {key: value for key in WHO if (value := {**environment, **static}.get(key)) is not None}
        self._who = b"," + _inside(who) if who else b""

    def line(self, record: logging.LogRecord) -> bytes:  # noqa: C901, PLR0912 (a call for each part costs a tenth)
        """Give the line that lies on the record if it still holds, else write it; raises what `otherwise` does."""
        try:
            if self.shares and (line := self.found(record)) is not None:
                return line

            held = record.__dict__
            around = surroundings() if registry or MODULE in _modules else _NOTHING
            site = self._latest.get((held["pathname"], held["lineno"]))

            if (
                site is None
                or len(held) != site.attributes
                or _like(held) != site.like
                or ((around or site.around) and tuple(around) != site.around)
            ):
                site = self._site(held, around)

            message, args, created, thread, _, _, _, task = _new(held)

            if site is not None and type(message) is str and type(record) is _Record:
                values = site.values(held)

                if around:
                    values += tuple([around[key] for key in site.plan.from_bound])

                free = site.plan.write(*values) or self._configured.write(site.plan, values)
                text = _dumps(message)

                if args:
                    text = _dumps(message % args) + b',"template":' + text

                start, second = self._second
                micros = round(created * _SECOND) - start

                if not 0 <= micros < _SECOND:
                    start, second = self._new_second(micros + start)
                    micros = round(created * _SECOND) - start

                usual, in_task = site.threads.get(thread) or self._new_thread(site, held)

                if not _HAS_TASK:
                    task = task_name(record) if "asyncio" in _modules else None

                if task is None:
                    line = usual % (second, micros, text, free[1:])
                else:
                    line = in_task % (second, micros, text, _dumps(task), free[1:])

                if created == self.latest:
                    self.shares = True

                self.latest = created

                if len(line) <= self._harmless or not exceeds(line, self._limits):
                    if self.shares:
                        self.leave(record, line)

                    return line
        except Exception:  # noqa: BLE001, S110 (a value that JSON does not know, wrong arguments)
            pass

        line = self._otherwise(record)

        if self.shares:
            self.leave(record, line)

        return line

    def _site(self, held: Mapping[str, Any], around: Mapping[str, Any]) -> _Site | None:
        """Find the site of records like this one, or learn it; None where another way has to write them."""
        place, keys = tuple(map(held.__getitem__, _PLACE)), tuple(held)
        kind = (place, _like(held), keys, tuple(around))

        if kind not in self._sites:
            _keep(self._sites, kind, self._new_site(held, around))

        site = self._sites[kind]

        if site is not None:
            _keep(self._latest, place, site)

        return site

    def _new_site(self, held: Mapping[str, Any], around: Mapping[str, Any]) -> _Site | None:
        plan = self._configured.plan(held, around)
        like = _like(held)

        if plan is None or like[-3:] != (None, None, None):
            return None

        origin = {
            key: value
            for key, name in (("module", "module"), ("function", "funcName"), ("file", "pathname"), ("line", "lineno"))
            if (value := held[name])
        }
        first = {"level": held["levelname"]}

        if LEVELS.get(held["levelname"]) != held["levelno"]:
            first["levelno"] = held["levelno"]

        return _Site(
            attributes=len(held),
            like=like,
            values=_values(plan.from_record),
            around=tuple(around),
            plan=plan,
            head=b"," + _inside({**first, "logger": held["name"]}) + b',"message":',
            origin=(b"," + _inside(origin) if origin else b"") + (b"," if plan.fields else b""),
        )

    def _new_thread(self, site: _Site, held: Mapping[str, Any]) -> tuple[bytes, bytes]:
        named = {"process": held["process"], "thread": held["threadName"]}
        found = {key: value for key, value in named.items() if value}
        start = (
            b'%b%06dZ"' + _literal(site.head) + b"%b" + _literal(self._who + (b"," + _inside(found) if found else b""))
        )
        end = _literal(site.origin) + b"%b\n"
        made = (start + end, start + b',"task":%b' + end)
        _keep(site.threads, held["threadName"], made)
        return made

    def _new_second(self, micros: int) -> tuple[int, bytes]:
        second = micros // _SECOND
        text = time.strftime('{"timestamp":"%Y-%m-%dT%H:%M:%S.', time.gmtime(second)).encode()
        self._second = made = (second * _SECOND, text)  # one tuple, replaced whole: threads see the old or the new
        return made


def _values(keys: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Give a function that takes these keys' values out of a mapping, as a tuple for any number of them."""
    if len(keys) > 1:
        return itemgetter(*keys)

    return lambda held: tuple([held[key] for key in keys])


def _literal(text: bytes) -> bytes:
    """Give a text for a place in a `%` template."""
    return text.replace(b"%", b"%%")


def _inside(fields: Mapping[str, Any]) -> bytes:
    """Give the text between the braces."""
    return _dumps(fields)[1:-1]


def _keep(cache: dict[Any, Any], key: object, value: object) -> None:
    if len(cache) >= _MOST:
        cache.clear()

    cache[key] = value
