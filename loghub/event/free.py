"""The free fields of records that have the same keys, as the bytes of one JSON object.

Rules:
1. Which fields a record's line has besides the standard ones, in what order and from where, depends on its keys, on
   the keys of what is bound, and on the configuration: a plan is made once for each combination.
2. A plan's function is written for its keys, as dataclasses write an `__init__`: it looks at each type and builds
   the object, without a loop. It is given values only, so nothing that is logged becomes code; keys stand in it as
   the literals that `repr` makes of texts.
3. orjson sees plain values only. What else there is goes the longer way of `encode`, with the same bytes.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from loghub.event.limits import Limits
from loghub.event.plain import PLAIN, plain
from loghub.event.record import IDENTITY, STANDARD, is_refused

WHO = IDENTITY[:2]
"""Keys that stand before the others; they come from the configuration alone here."""

_STANDARD_KEYS = 24  # at most, beside the free ones
_EXACT = PLAIN - {float}
_dumps = orjson.dumps
_Write = Callable[..., bytes | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How the free fields of records with the same keys are written.

    Attributes:
        fields: the keys in the order of the line, static values filled in.
        from_record: those whose value is the record's.
        from_bound: those whose value is the context's.
        write: gives the object of the values of `from_record` and `from_bound`; None where one is not plain.
    """

    fields: dict[str, Any]
    from_record: tuple[str, ...]
    from_bound: tuple[str, ...]
    write: _Write


@dataclass(frozen=True, slots=True)
class Configured:
    """What a configuration says of free fields.

    Attributes:
        static: fields that each line has.
        environment: what holds where nothing else is said.
        default: gives a value that JSON knows for one that it does not.
        limits: what a line may hold.
    """

    static: Mapping[str, Any]
    environment: Mapping[str, Any]
    default: Callable[[Any], Any] | None
    limits: Limits

    def plan(self, held: Mapping[Any, Any], around: Mapping[str, Any]) -> Plan | None:
        """Give the plan for a record's attributes and what is bound; None where the line has to be made otherwise."""
        static, environment = self.static, self.environment
        extras = [key for key in held if key not in STANDARD and not str(key).startswith("_loghub")]
        tags = [key for key in environment if key not in IDENTITY]
        order = dict.fromkeys((*tags, *around, *static, *extras))

        if any(type(key) is not str or is_refused(key) for key in order):
            return None

        if any(key in order and key not in static for key in WHO) or len(order) + _STANDARD_KEYS > self.limits.items:
            return None

        wanted = [key for key in IDENTITY[2:] if key in order or key in environment]
        fields = {key: static.get(key, environment.get(key)) for key in wanted}
        fields |= {key: static.get(key, environment.get(key)) for key in order if key not in IDENTITY}
        fields = {
            key: value for key, value in fields.items() if value is not None or key not in IDENTITY or key in order
        }
        from_record = tuple(key for key in fields if key in extras and key not in static)
        from_bound = tuple(key for key in fields if key in around and key not in static and key not in extras)

        return Plan(fields, from_record, from_bound, _writer(fields, (*from_record, *from_bound)))

    def write(self, plan: Plan, values: tuple[Any, ...]) -> bytes:
        """Write the object of values that are not all plain.

        Raises:
            Exception: what `plain` raises; TypeError where the line is made another way.
        """
        fields = plan.fields | dict(zip((*plan.from_record, *plan.from_bound), values, strict=True))

        for key in IDENTITY:
            if key not in fields:
                continue

            if fields[key] is None and key not in self.environment:  # counts as not given
                del fields[key]
            elif fields[key] is None or type(fields[key]) in (int, float):  # of a number it makes a text
                raise TypeError(key)

        if not fields and plan.fields:
            raise TypeError("nothing is left")

        return _dumps(plain(fields, self.limits, self.default))


def _writer(fields: Mapping[str, Any], given: tuple[str, ...]) -> _Write:
    """Write the function of a plan: values in the order of `given` → the object's bytes."""
    names = {key: f"v{number}" for number, key in enumerate(given)}
    fixed = {key: f"c{number}" for number, key in enumerate(fields) if key not in names}
    constants = {name: fields[key] for key, name in fixed.items()}

    if any(
        not _is_plain(value) or (key in IDENTITY and type(value) is not str)
        for key, value in fields.items()
        if key in fixed
    ):
        return lambda *_: None

    object_ = ", ".join(f"{key!r}: {(names | fixed)[key]}" for key in fields)
    checks = [_check(key, name) for key, name in names.items()]
    source = f"lambda {', '.join(names.values())}: dumps({{{object_}}})"

    if checks:
        source += f" if {' and '.join(checks)} else None"

    space = {"dumps": _dumps, "exact": _EXACT, "isfinite": math.isfinite, **constants}
    made: _Write = eval(source, space)  # noqa: S307 (rule 2)
    return made


def _check(key: str, name: str) -> str:
    if key in IDENTITY:
        return f"type({name}) is str"

    return f"(type({name}) in exact or type({name}) is float and isfinite({name}))"


def _is_plain(value: object) -> bool:
    return type(value) in _EXACT or (type(value) is float and math.isfinite(value))
