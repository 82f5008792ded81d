"""A value that JSON does not know → one that it does, in the forms that python-json-logger gives.

| value | becomes |
|---|---|
| bytes, bytearray, memoryview | URL-safe base64 |
| datetime, date, time | ISO 8601 |
| Enum member; Enum class | its value; the list of its values |
| class; exception; traceback | its name; `Type: message`; its text |
| dataclass, attrs, msgspec.Struct, pydantic model | an object of its fields |
| set, tuple, deque, dict views; other mappings | a list; an object |
| numpy scalar or array | Python's number or lists |
| anything else (Decimal, UUID, Path, a lock …) | its `str`, else its `repr` |

What a value is, is told by its real type: `__class__` may lie (a mock with a `spec` does).
Nothing is imported to find out, and nothing that can be used up (a generator) is read.
"""

import base64
import datetime as dt
import enum
import itertools
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, TypeAlias

Form: TypeAlias = Callable[[Any], Any]

_MAX_ITEMS = 100_000  # of what is no list or dict of Python's own: a mapping's keys may have no end


def known(value: Any) -> Any:  # noqa: ANN401 (any object that a user logs)
    """Give something that JSON knows for a value that it does not; its parts may be unknown in turn.

    Raises:
        Exception: whatever the object's own code raises.
    """
    kind = type(value)

    for ancestor in _MRO(kind):
        form = _FORMS.get(ancestor)

        if form is not None:
            return form(value)

    for mark, form in _MARKED.items():
        if _has(kind, mark):
            return form(value)

    return _text(value)


def is_json(value: object) -> bool:
    """Tell whether JSON has a form for a value, so that `json.dumps` does not ask a `default` about it."""
    return value is None or issubclass(type(value), _JSON)


def safe_text(value: object) -> str:
    """Give a text that encodes: lone surrogates as backslash escapes, a failing `__str__` as the type's name."""
    try:
        return exact_text(value) if issubclass(type(value), str) else exact_text(str(value))  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 (a user's __str__ may raise anything)
        return f"<{type_name(value)}>"


def exact_text(text: str) -> str:
    """Give the characters of a text, whatever its class makes of them, lone surrogates as backslash escapes."""
    return str.encode(text, "utf-8", "backslashreplace").decode()


def type_name(value: object) -> str:
    """Give the name of a value's real type, past any metaclass that has a word in it."""
    name: str = _NAME(type(value))
    return exact_text(name)


_NAME: Form = type.__dict__["__name__"].__get__
_MRO: Form = type.__dict__["__mro__"].__get__


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 (as safe_text)
        return repr(value)


def _has(kind: type, mark: str) -> bool:
    return any(mark in ancestor.__dict__ for ancestor in _MRO(kind))


def _attributes(names: Callable[[Any], Any]) -> Form:
    """Give a form that reads the fields whose names are found on the class."""
    return lambda value: {name: getattr(value, name) for name in names(type(value))}


def _numpy(value: Any) -> Any:  # noqa: ANN401 (a scalar or an array)
    plain = value.tolist()
    return _text(value) if type(plain) is type(value) else plain


def _mapping(value: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: value[key] for key in itertools.islice(value, _MAX_ITEMS)}


def _exception(value: BaseException) -> str:
    return f"{type_name(value)}: {value}"


def _base64(value: bytes | bytearray | memoryview) -> str:
    return base64.urlsafe_b64encode(bytes(value)).decode()  # a view may have gaps


_JSON = (str, int, float, list, tuple, dict)

# The first class of a value's resolution order that stands here decides.
_FORMS: dict[type, Form] = {
    bytes: _base64,
    bytearray: _base64,
    memoryview: _base64,
    dt.datetime: dt.datetime.isoformat,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
    enum.Enum: lambda value: value.value,
    enum.EnumMeta: lambda value: [member.value for member in value],
    type: _NAME,
    BaseException: _exception,
    TracebackType: lambda value: "".join(traceback.format_tb(value)).strip(),
    str: exact_text,
    int: int.__int__,
    float: float.__float__,
    dict: lambda value: dict(dict.items(value)),
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: list(tuple.__iter__(value)),
    set: lambda value: list(set.__iter__(value)),
    frozenset: lambda value: list(frozenset.__iter__(value)),
    deque: lambda value: list(deque.__iter__(value)),
    type({}.keys()): list,
    type({}.values()): list,
    type({}.items()): list,
    MappingProxyType: dict,
    Mapping: _mapping,
}

# Libraries' own marks on a class.
_MARKED: dict[str, Form] = {
    "__dataclass_fields__": _attributes(lambda kind: kind.__dataclass_fields__),
    "__attrs_attrs__": _attributes(lambda kind: [field.name for field in kind.__attrs_attrs__]),
    "__struct_fields__": _attributes(lambda kind: kind.__struct_fields__),
    "__array_interface__": _numpy,
    "__pydantic_fields__": lambda value: value.model_dump(),
}
