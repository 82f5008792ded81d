"""Exceptions as data: type, message, notes, frames, chain and groups, and a fingerprint.

Shapes are those of the event schema ("exception"). The fingerprint names the same fault
across line shifts and messages: it is made of the types and the functions on the way.
Sizes are bounded: a recursion error with thousands of frames is cut in the middle.
"""

import hashlib
import linecache
import os
import sysconfig
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from loghub.event.model import JSONValue

_MAX_FRAMES = 100
_MAX_DEPTH = 16
_MAX_GROUP = 64

_LIBRARY = tuple(
    {
        os.path.join(os.path.realpath(path), "")  # noqa: PTH118 (a prefix with its separator, which Path drops)
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
        if (path := sysconfig.get_path(name))
    }
)


def describe(error: BaseException, in_app: Sequence[str] = ()) -> dict[str, JSONValue]:
    """Give an exception with its chain, groups and frames as data; never raises on odd exceptions.

    Args:
        error: the exception.
        in_app: packages that are the application's own, though they are installed like a library's.
    """
    return _Description(in_app).of(error, 0)


def is_in_app(file: str) -> bool:
    """Tell whether a source file belongs to the application: not to the standard library or a package."""
    return not (file.startswith("<") or "site-packages" in file or "dist-packages" in file or file.startswith(_LIBRARY))


class _Description:
    """One call of `describe`: whose frames are the application's, and which exceptions were described already."""

    def __init__(self, in_app: Sequence[str]) -> None:
        self._in_app = in_app
        self._seen: set[int] = set()

    def of(self, error: BaseException, depth: int) -> dict[str, JSONValue]:
        self._seen.add(id(error))
        frames, cut = self._frames(error.__traceback__)
        kind = type(error)
        data: dict[str, JSONValue] = {"type": kind.__qualname__, "module": kind.__module__, "message": _message(error)}
        notes: Any = getattr(error, "__notes__", None)

        if isinstance(notes, list) and notes:
            data["notes"] = [str(note) for note in notes if isinstance(note, str)]

        data["fingerprint"] = _fingerprint(data, frames)
        data["frames"] = [*frames]

        if cut:
            data["frames_cut"] = cut

        if depth < _MAX_DEPTH:
            data.update(self._chain(error, depth + 1))

        return data

    def _chain(self, error: BaseException, depth: int) -> dict[str, JSONValue]:
        """Give cause or context, and the members of a group."""
        data: dict[str, JSONValue] = {}
        cause, context = error.__cause__, error.__context__

        if cause is not None and id(cause) not in self._seen:
            data["cause"] = self.of(cause, depth)

        elif context is not None and id(context) not in self._seen:
            if error.__suppress_context__:
                data["suppressed"] = True

            else:
                data["context"] = self.of(context, depth)

        if isinstance(error, BaseExceptionGroup):
            members = [member for member in error.exceptions[:_MAX_GROUP] if id(member) not in self._seen]
            data["exceptions"] = [self.of(member, depth) for member in members]

        return data

    def _frames(self, traceback: TracebackType | None) -> tuple[list[dict[str, JSONValue]], int]:
        """Give the frames, oldest first, and how many were cut out of the middle."""
        places: list[TracebackType] = []

        while traceback is not None:
            places.append(traceback)
            traceback = traceback.tb_next

        cut = max(0, len(places) - _MAX_FRAMES)

        if cut:
            half = _MAX_FRAMES // 2
            places = [*places[:half], *places[-half:]]

        return [self._frame(place) for place in places], cut

    def _frame(self, place: TracebackType) -> dict[str, JSONValue]:
        code, names = place.tb_frame.f_code, place.tb_frame.f_globals
        frame: dict[str, JSONValue] = {"file": code.co_filename, "line": place.tb_lineno, "function": code.co_qualname}
        source = linecache.getline(code.co_filename, place.tb_lineno, names).strip()

        if source:
            frame["source"] = source

        frame["in_app"] = is_in_app(code.co_filename) or self._is_ours(str(names.get("__name__", "")))
        return frame

    def _is_ours(self, module: str) -> bool:
        return any(module == package or module.startswith(f"{package}.") for package in self._in_app)


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 (a user's __str__ may raise anything)
        return f"<{type(error).__name__} whose __str__ raises>"


def _fingerprint(data: dict[str, JSONValue], frames: list[dict[str, JSONValue]]) -> str:
    """Hash the type and the functions passed, the application's where there are any; no lines, no message."""
    ours = [frame for frame in frames if frame["in_app"]] or frames
    path = [f"{os.path.basename(str(frame['file']))}:{frame['function']}" for frame in ours]  # noqa: PTH119 (a name in a frame, not a path to open)
    text = "\n".join([f"{data['module']}.{data['type']}", *path])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
