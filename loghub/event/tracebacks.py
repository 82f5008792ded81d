"""The usual traceback text, bounded: what `logging` writes, cut in the middle where it is long.

A recursion of ten thousand frames is some hundred lines, and only they are looked up in their source.
"""

import logging
import traceback
from types import TracebackType
from typing import Any

_MAX_FRAMES = 100
_MAX_CHAIN = 16
_MAX_LINES = 400

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def traceback_text(info: ExceptionInfo) -> str:
    """Give the text of an exception with its traceback, as `logging.Formatter.formatException`; never raises.

    Args:
        info: the record's `exc_info`.
    """
    error = info[1]

    try:
        if error is None or not _is_long(error):
            return logging.Formatter().formatException(info)

        return "".join(_cut_summary(error).format()).rstrip("\n")
    except Exception as reason:  # noqa: BLE001 (an exception whose attributes raise)
        return f"{type(error).__qualname__} (its traceback cannot be written: {type(reason).__name__})"


def stack_text(text: str) -> str:
    """Give a record's `stack_info`, cut in the middle where it has very many lines.

    >>> stack_text("Stack (most recent call last):")
    'Stack (most recent call last):'
    """
    if text.count("\n") < _MAX_LINES:
        return text

    lines = text.split("\n")
    half = _MAX_LINES // 2
    return "\n".join([*lines[:half], f"  … {len(lines) - 2 * half} lines cut …", *lines[-half:]])


class _CutStack(traceback.StackSummary):
    """The beginning and the end of a stack."""

    head: traceback.StackSummary
    tail: traceback.StackSummary
    cut: int

    def format(self, **options: Any) -> list[str]:  # noqa: ANN401 (newer versions of Python have some)
        return [*self.head.format(**options), f"  … {self.cut} frames cut …\n", *self.tail.format(**options)]


def _is_long(error: BaseException) -> bool:
    """Tell whether a chain is long, or a traceback in it or in a group."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()

    while waiting:
        found = waiting.pop()

        if found is None or id(found) in seen:
            continue

        seen.add(id(found))

        if len(seen) > _MAX_CHAIN or _count(found.__traceback__) > _MAX_FRAMES:
            return True

        waiting += (found.__cause__, found.__context__)
        waiting += found.exceptions if isinstance(found, BaseExceptionGroup) else ()

    return False


def _count(place: TracebackType | None) -> int:
    count = 0

    while place is not None:
        count += 1
        place = place.tb_next

    return count


def _cut_summary(error: BaseException) -> traceback.TracebackException:
    """Give the exception's text to be, its long stacks replaced by their beginnings and ends."""
    head = traceback.TracebackException.from_exception(error, limit=_MAX_FRAMES, compact=True)
    tail = traceback.TracebackException.from_exception(error, limit=-_MAX_FRAMES // 2, compact=True)
    _cut(head, tail, error, 1)
    return head


def _cut(
    head: traceback.TracebackException, tail: traceback.TracebackException, error: BaseException, depth: int
) -> None:
    count = _count(error.__traceback__)

    if count > _MAX_FRAMES:
        stack = _CutStack()
        stack.head = traceback.StackSummary.from_list(list(head.stack[: _MAX_FRAMES // 2]))
        stack.tail = tail.stack
        stack.cut = count - _MAX_FRAMES
        stack.append(head.stack[0])  # an empty stack would have no "Traceback" line above it
        head.stack = stack

    if depth >= _MAX_CHAIN:
        head.__cause__ = head.__context__ = None

    if head.__cause__ and tail.__cause__ and error.__cause__:
        _cut(head.__cause__, tail.__cause__, error.__cause__, depth + 1)

    if head.__context__ and tail.__context__ and error.__context__:
        _cut(head.__context__, tail.__context__, error.__context__, depth + 1)

    if head.exceptions and tail.exceptions and isinstance(error, BaseExceptionGroup):
        for parts in zip(head.exceptions, tail.exceptions, error.exceptions, strict=False):
            _cut(*parts, depth + 1)
