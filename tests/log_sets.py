"""Rotated logs for tests: lines that carry a number, and the files that hold them."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import zstandard

from loghub.event.model import format_time

TIME_US = 1_790_000_000_000_000


def line(number: int, **fields: object) -> bytes:
    """Give the line of an event whose field `n` is the number."""
    head = {
        "timestamp": format_time(TIME_US + number * 1000),
        "level": "INFO",
        "logger": "shop",
        "message": f"m{number}",
    }
    return json.dumps(head | {"n": number} | fields).encode() + b"\n"


def lines(numbers: Iterable[int]) -> bytes:
    return b"".join(map(line, numbers))


def pack(path: Path) -> Path:
    """Write a file's compressed form under its name."""
    plain = path.with_suffix("")
    data = plain.read_bytes() if plain.exists() else b""
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else zstandard.compress(data))
    plain.unlink()
    return path


def write(path: Path, data: bytes) -> Path:
    """Write a file, compressed where its name says so."""
    path.parent.mkdir(exist_ok=True)

    if path.suffix == ".gz":
        data = gzip.compress(data)

    elif path.suffix == ".zst":
        data = zstandard.compress(data)

    path.write_bytes(data)
    return path
