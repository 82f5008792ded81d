"""The line of a record, by whatever formatter a handler was given."""

import logging

from loghub.formatters import JSONFormatter


def line_of(formatter: logging.Formatter, record: logging.LogRecord) -> bytes:
    """Give the record's line as bytes, its newline included; another package's formatter may raise."""
    if isinstance(formatter, JSONFormatter):
        return formatter.format_line(record)

    return formatter.format(record).encode("utf-8", "backslashreplace") + b"\n"
