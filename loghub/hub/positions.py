"""How far watched files were read, in a file of the data directory.

It is replaced whole, so that after a crash there is the old one or the new one. One that cannot be read is an
error: without it, each watched line would be stored again.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from loghub.errors import StoreError
from loghub.hub.store.durable import replace_file
from loghub.reading.lives import Position

FORMAT = 1


class Positions:
    """The positions of all logs.

    Args:
        path: the file; it need not exist.

    Raises:
        StoreError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._logs = _load(path)
        self._saved = dict(self._logs)
        self._sources = _sources(self._logs)

    def of(self, log: Path) -> Sequence[Position]:
        """Give the positions of a log's files."""
        return self._logs.get(str(log), ())

    def has(self, source: str) -> bool:
        """Tell whether a file's life is on the disk."""
        return source in self._sources

    def put(self, log: Path, positions: Sequence[Position]) -> None:
        """Set the positions of a log's files."""
        self._logs[str(log)] = tuple(positions)

    def save(self) -> None:
        """Have all of them on the disk.

        Raises:
            OSError: the disk refused; the file is as it was.
        """
        if self._logs == self._saved:
            return

        logs = {log: [_plain(position) for position in positions] for log, positions in self._logs.items()}
        replace_file(self._path, orjson.dumps({"format": FORMAT, "logs": logs}, option=orjson.OPT_APPEND_NEWLINE))
        self._saved = dict(self._logs)
        self._sources = _sources(self._logs)


def _sources(logs: dict[str, tuple[Position, ...]]) -> set[str]:
    return {position.source for positions in logs.values() for position in positions}


def _plain(position: Position) -> dict[str, Any]:
    return {
        "source": position.source,
        "device": position.device,
        "inode": position.inode,
        "size": position.size,
        "head": b64encode(position.head).decode(),
        "tail": b64encode(position.tail).decode(),
        "offset": position.offset,
        "lines": position.lines,
    }


def _load(path: Path) -> dict[str, tuple[Position, ...]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}

    try:
        decoded = orjson.loads(data)

        if decoded["format"] != FORMAT:
            raise ValueError(f"format {decoded['format']!r}, this loghub reads {FORMAT}")  # noqa: TRY301 (as the others)

        return {log: tuple(map(_position, positions)) for log, positions in decoded["logs"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(
            f"{path} cannot be read ({error}): restore it from a copy; without it, watched lines would be stored twice"
        ) from error


def _position(plain: dict[str, Any]) -> Position:
    ends = {"head": b64decode(plain["head"]), "tail": b64decode(plain["tail"])}
    return Position(**{**plain, **ends})
