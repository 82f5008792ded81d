"""The line of a record, by whatever formatter a handler was given."""

import logging
from collections.abc import Callable

from loghub.formatters import JSONFormatter


def writer_of(
    formatter: logging.Formatter, encoding: str | None = None, errors: str = "backslashreplace"
) -> Callable[[logging.LogRecord], bytes]:
    """Give what writes a record's line as bytes, its newline included; another package's formatter may raise.

    Args:
        formatter: anybody's.
        encoding: of the bytes; None for UTF-8.
        errors: what to do with what cannot be encoded, as in `str.encode`.
    """
    if encoding is None and isinstance(formatter, JSONFormatter):
        return formatter.write_line

    return lambda record: formatter.format(record).encode(encoding or "utf-8", errors) + b"\n"
