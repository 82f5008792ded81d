"""Exceptions as data: type, message, notes, frames, chain and groups, and a fingerprint.

Rules:
1. Shapes are those of the event schema ("exception").
2. The fingerprint names the same fault across line shifts, messages and depths of a recursion: it is made of the
   type and of the functions on the way, each once, the application's where there are any.
3. Cost is bounded whatever was raised: frames are cut in the middle and only those that stay are looked up in
   their source; the exceptions of chains and groups are counted.
4. Nothing raises, whatever an exception's `__str__`, `__notes__`, `__cause__` or traceback are.
"""

import hashlib
import linecache
import os
import sysconfig
from collections.abc import Callable, Sequence
from types import CodeType, ModuleType, TracebackType
from typing import Any

from loghub.event.model import JSONValue
from loghub.event.shown import shown

_MAX_FRAMES = 100
_FEW_FRAMES = 10
_MAX_WITH_ALL_FRAMES = 8
_MAX_DEPTH = 16
_MAX_GROUP = 64
_MAX_EXCEPTIONS = 128
_MAX_NOTES = 64
_FRAMES_WITH_LOCALS = 20
_MAX_LOCALS = 24
_MAX_LOCAL = 200

_LIBRARY = tuple(
    {
        os.path.join(os.path.realpath(path), "")  # noqa: PTH118 (a prefix with its separator, which Path drops)
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
        if (path := sysconfig.get_path(name))
    }
)


def describe(
    error: BaseException, in_app: Sequence[str] = (), local_text: Callable[[str], str] | None = None
) -> dict[str, JSONValue]:
    """Give an exception with its chain, groups and frames as data; never raises on odd exceptions.

    Args:
        error: the exception.
        in_app: packages that are the application's own, though they are installed like a library's.
        local_text: where given, the last frames have their local variables, as `repr` shows them. It gets
            each text before it is cut, so that a mask sees a secret whole; `Mask.text`, or `str` for no mask.
            Values of locals with a masked name are the business of `Mask.fields`.
    """
    return _Description(in_app, local_text).of(error, 0)


def is_in_app(file: str) -> bool:
    """Tell whether a source file belongs to the application: not to the standard library or a package."""
    return not (file.startswith("<") or "site-packages" in file or "dist-packages" in file or file.startswith(_LIBRARY))


class _Description:
    """One call of `describe`: whose frames are the application's, and which exceptions were described already."""

    def __init__(self, in_app: Sequence[str], local_text: Callable[[str], str] | None) -> None:
        self._in_app = in_app
        self._local_text = local_text
        self._seen: set[int] = set()

    def of(self, error: BaseException, depth: int) -> dict[str, JSONValue]:
        self._seen.add(id(error))
        data = _head(error)

        try:
            frames, cut = self._frames(error.__traceback__)
        except Exception:  # noqa: BLE001 (an attribute that raises)
            frames, cut = [], 0

        data["fingerprint"] = _fingerprint(data, frames)
        data["frames"] = [*frames]

        if cut:
            data["frames_cut"] = cut

        if depth < _MAX_DEPTH:
            try:
                self._add_chain(data, error, depth + 1)
                self._add_members(data, error, depth + 1)
            except Exception:  # noqa: BLE001 (an attribute that raises: what was added stays)
                return data

        return data

    def _add_chain(self, data: dict[str, JSONValue], error: BaseException, depth: int) -> None:
        cause, context = error.__cause__, error.__context__

        if cause is not None and self._is_new(cause):
            data["cause"] = self.of(cause, depth)

        elif context is not None and self._is_new(context):
            if error.__suppress_context__:
                data["suppressed"] = True

            else:
                data["context"] = self.of(context, depth)

    def _add_members(self, data: dict[str, JSONValue], error: BaseException, depth: int) -> None:
        if not isinstance(error, BaseExceptionGroup):
            return

        members: list[JSONValue] = []

        for member in error.exceptions[:_MAX_GROUP]:
            if self._is_new(member):  # what `of` describes is not new to the next one
                members.append(self.of(member, depth))  # noqa: PERF401

        data["exceptions"] = members
        cut = len(error.exceptions) - len(members)

        if cut:
            data["exceptions_cut"] = cut

    def _is_new(self, error: BaseException) -> bool:
        return id(error) not in self._seen and len(self._seen) < _MAX_EXCEPTIONS

    def _frames(self, traceback: TracebackType | None) -> tuple[list[dict[str, JSONValue]], int]:
        """Give the frames, oldest first, and how many were cut out of the middle."""
        places: list[TracebackType] = []

        while traceback is not None:
            places.append(traceback)
            traceback = traceback.tb_next

        most = _MAX_FRAMES if len(self._seen) <= _MAX_WITH_ALL_FRAMES else _FEW_FRAMES
        cut = max(0, len(places) - most)

        if cut:
            places = [*places[: most // 2], *places[-most // 2 :]]

        frames = [self._frame(place) for place in places]

        if self._local_text is not None:
            for place, frame in list(zip(places, frames, strict=True))[-_FRAMES_WITH_LOCALS:]:
                frame["locals"] = _locals(place, self._local_text)

        return frames, cut

    def _frame(self, place: TracebackType) -> dict[str, JSONValue]:
        code, names = place.tb_frame.f_code, place.tb_frame.f_globals
        frame: dict[str, JSONValue] = {"file": code.co_filename, "line": place.tb_lineno, "function": code.co_qualname}
        source = _source(code, place.tb_lineno, names)

        if source:
            frame["source"] = source

        frame["in_app"] = is_in_app(code.co_filename) or self._is_ours(names.get("__name__"))
        return frame

    def _is_ours(self, module: object) -> bool:
        name = module if isinstance(module, str) else ""
        return any(name == package or name.startswith(f"{package}.") for package in self._in_app)


def _head(error: BaseException) -> dict[str, JSONValue]:
    """Give type, module, message and notes."""
    kind = type(error)
    module: object = kind.__module__
    data: dict[str, JSONValue] = {
        "type": kind.__qualname__,
        "module": module if isinstance(module, str) else "",
        "message": _message(error),
    }

    try:
        notes: Any = getattr(error, "__notes__", None)
    except Exception:  # noqa: BLE001 (a property that raises)
        notes = None

    if isinstance(notes, list):
        texts: list[JSONValue] = [str.__str__(note) for note in notes[:_MAX_NOTES] if isinstance(note, str)]
        data |= {"notes": texts} if texts else {}

    return data


def _message(error: BaseException) -> str:
    try:
        return str.__str__(str(error))
    except Exception:  # noqa: BLE001 (a user's __str__ may raise anything)
        return f"<{type(error).__name__} whose __str__ raises>"


def _source(code: CodeType, line: int | None, names: dict[str, Any]) -> str:
    if line is None:  # an instruction that no line of the source made
        return ""

    try:
        return linecache.getline(code.co_filename, line, names).strip()
    except Exception:  # noqa: BLE001 (a module's own loader may raise anything)
        return ""


def _locals(place: TracebackType, local_text: Callable[[str], str]) -> dict[str, JSONValue]:
    """Give a frame's local variables as texts, without modules and the names that Python itself sets."""
    try:
        known = place.tb_frame.f_locals
        names = [name for name, value in known.items() if not (name.startswith("__") or isinstance(value, ModuleType))]
        texts: dict[str, JSONValue] = {name: _cut(local_text(shown(known[name]))) for name in names[:_MAX_LOCALS]}
    except Exception:  # noqa: BLE001 (a class body may have any mapping for its names)
        return {}

    if len(names) > _MAX_LOCALS:
        texts["…"] = f"{len(names) - _MAX_LOCALS} more"

    return texts


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_LOCAL else f"{text[: _MAX_LOCAL - 1]}…"


def _fingerprint(data: dict[str, JSONValue], frames: list[dict[str, JSONValue]]) -> str:
    """Hash the type and the functions passed, each once; no lines, no message."""
    ours = [frame for frame in frames if frame["in_app"]] or frames
    path = (f"{os.path.basename(str(frame['file']))}:{frame['function']}" for frame in ours)  # noqa: PTH119 (a name in a frame, not a path to open)
    text = "\n".join([f"{data['module']}.{data['type']}", *dict.fromkeys(path)])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
