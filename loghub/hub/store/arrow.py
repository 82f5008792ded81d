"""Columns in memory → the engine, by the Arrow C stream interface: no value becomes an object of its own on the way.

The layout of the three structures and who frees what is in https://arrow.apache.org/docs/format/CStreamInterface.html.

Rules:
1. A chunk is a number of rows that have the same columns; the columns that it lacks are NULL in all of its rows.
2. A stream owns what the structures point to until its `with` block ends: the engine copies while it inserts.
   So a release has nothing to free, and may come late and from any thread.

It knows two types, integers of 64 bits and UTF-8 text of less than 2 GiB in a chunk.
"""

import ctypes
import errno
from array import array  # noqa: TC003 (a type alias is made of it)
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

_T = TypeVar("_T")
_NULLABLE = 2
_FORMATS = {"BIGINT": b"l", "VARCHAR": b"u"}


@dataclass(frozen=True, slots=True)
class Text:
    """The texts of a column: their UTF-8 bytes, nothing between them, and where each begins and the last ends."""

    data: bytes
    offsets: "array[int]"


Column: TypeAlias = "Text | array[int]"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that have the same columns.

    Attributes:
        size: how many rows.
        columns: by name; integers as `array("q")`, offsets of texts as `array("i")`.
    """

    size: int
    columns: Mapping[str, Column]


class _Schema(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_char_p),
        ("flags", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


class _Array(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.c_void_p),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


class _Stream(ctypes.Structure):
    _fields_ = (
        ("get_schema", ctypes.c_void_p),
        ("get_next", ctypes.c_void_p),
        ("get_last_error", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


class Stream:
    """Chunks that the engine may select from, for the length of a `with` block.

    Args:
        kinds: the engine's type of each column, by name.
        chunks: the rows.
    """

    def __init__(self, kinds: Mapping[str, str], chunks: Sequence[Chunk]) -> None:
        self._kinds = kinds
        self._chunks = chunks
        self._kept: list[object] = []
        self._runs: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in self._runs:
            _runs.pop(number, None)

        self._kept.clear()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Give a capsule with a structure that begins at the first chunk."""
        number = next(_numbers)
        self._runs.append(number)
        _runs[number] = _Run(self)
        stream = _Stream(*_CALLS, number)
        self._kept.append(stream)
        return _new_capsule(ctypes.addressof(stream), _CAPSULE, None)

    def write_schema(self, place: int) -> None:
        """Write the names and types of the columns."""
        children = [
            _Schema(_FORMATS[kind], name.encode(), None, _NULLABLE, 0, None, None, _RELEASE_SCHEMA, None)
            for name, kind in self._kinds.items()
        ]
        pointers = self._pointers(children)
        whole = _Schema(b"+s", b"", None, 0, len(children), pointers, None, _RELEASE_SCHEMA, None)
        self._put(whole, place)

    def write_chunk(self, index: int, place: int) -> None:
        """Write a chunk; the end, which is one that is released already, behind the last."""
        if index >= len(self._chunks):
            ctypes.memset(place, 0, ctypes.sizeof(_Array))
            return

        chunk = self._chunks[index]
        nothing = _address(self._keep(bytes(8 * chunk.size + 8)))
        children = [self._column(chunk, name, kind, nothing) for name, kind in self._kinds.items()]
        pointers = self._pointers(children)
        buffers = self._buffers([None])
        whole = _Array(chunk.size, 0, 0, 1, len(children), buffers, pointers, None, _RELEASE_ARRAY, None)
        self._put(whole, place)

    def _column(self, chunk: Chunk, name: str, kind: str, nothing: int) -> _Array:
        column = chunk.columns.get(name)
        buffers: list[int | None]
        nulls = 0

        if column is None:
            nulls = chunk.size
            buffers = [nothing] * (2 if kind == "BIGINT" else 3)
        elif isinstance(column, Text):
            buffers = [None, column.offsets.buffer_info()[0], _address(column.data)]
        else:
            buffers = [None, column.buffer_info()[0]]

        size = len(buffers)
        return _Array(chunk.size, nulls, 0, size, 0, self._buffers(buffers), None, None, _RELEASE_ARRAY, None)

    def _buffers(self, addresses: Sequence[int | None]) -> int:
        return ctypes.addressof(self._keep((ctypes.c_void_p * len(addresses))(*addresses)))

    def _pointers(self, children: Sequence[ctypes.Structure]) -> int:
        self._kept.append(children)
        return self._buffers([ctypes.addressof(child) for child in children])

    def _put(self, structure: ctypes.Structure, place: int) -> None:
        self._kept.append(structure)
        ctypes.memmove(place, ctypes.addressof(structure), ctypes.sizeof(structure))

    def _keep(self, thing: _T) -> _T:
        self._kept.append(thing)
        return thing


class Door:
    """What stays registered with the engine, while streams come and go behind it.

    Args:
        kinds: the engine's type of each column, by name.
    """

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = kinds
        self._stream: Stream | None = None

    @contextmanager
    def bring(self, chunks: Sequence[Chunk]) -> Iterator[None]:
        """Let the engine select from these chunks, for the length of a `with` block."""
        with Stream(self._kinds, chunks) as stream:
            self._stream = stream

            try:
                yield
            finally:
                self._stream = None

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Give a capsule of the stream that is there.

        Raises:
            LookupError: there is none.
        """
        if self._stream is None:
            raise LookupError("nothing was brought")

        return self._stream.__arrow_c_stream__(requested_schema)


class _Run:
    """One way through a stream."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.next = 0


_numbers = count(1)
_runs: dict[int, _Run] = {}
"""By their number, which stands in the structure: the engine moves that about."""


def _get_schema(stream: int, place: int) -> int:
    run = _runs.get(_Stream.from_address(stream).private_data or 0)

    if run is None:
        return errno.EINVAL

    return _filled(partial(run.stream.write_schema, place))


def _get_next(stream: int, place: int) -> int:
    run = _runs.get(_Stream.from_address(stream).private_data or 0)

    if run is None:
        return errno.EINVAL

    index = run.next
    run.next += 1
    return _filled(partial(run.stream.write_chunk, index, place))


def _filled(write: Callable[[], None]) -> int:
    """Write a structure; an error would end here, and the engine would take whatever stands there for an answer."""
    try:
        write()
    except BaseException:  # noqa: BLE001 (as it says; of an interrupt too)
        return errno.ENOMEM

    return 0


def _no_text(_stream: int) -> None:
    return None


def _release_stream(place: int) -> None:
    _Stream.from_address(place).release = None


def _release_schema(place: int) -> None:
    _Schema.from_address(place).release = None


def _release_array(place: int) -> None:
    _Array.from_address(place).release = None


def _address(data: bytes) -> int:
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0


_Fill = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_Tell = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
_Free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_FUNCTIONS = (
    _Fill(_get_schema),
    _Fill(_get_next),
    _Tell(_no_text),
    _Free(_release_stream),
    _Free(_release_schema),
    _Free(_release_array),
)
*_CALLS, _RELEASE_SCHEMA, _RELEASE_ARRAY = (ctypes.cast(function, ctypes.c_void_p).value for function in _FUNCTIONS)

_CAPSULE = b"arrow_array_stream"  # the capsule keeps a pointer to it
_new_capsule: Any = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
