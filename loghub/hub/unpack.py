"""A compressed body → its bytes, bounded: gzip and zstd, also several streams behind each other.

Rules:
1. What comes out is counted while it comes: a bomb is refused at the limit, not after it.
2. A stream must end within the body: one that breaks off is damaged, not short.
3. Each stream costs something, so their number is bounded; a zstd stream may ask for a window of 8 MB and no more.
"""

import zlib
from collections.abc import Callable

from loghub.errors import require
from loghub.hub.refused import IngestError

ENCODINGS = {"gzip": "gzip", "x-gzip": "gzip", "zstd": "zstd"}
"""What a body may be compressed with, and the name of its reader."""

_MAX_STREAMS = 64
_MAX_WINDOW = 8 * 2**20  # RFC 9659: what a receiver of the content coding must support, and a sender keep to
_STEP = 512  # four bytes of zstd may stand for 128 KiB: so a step gives 16 MiB at most

_Read = Callable[[memoryview, int], tuple[bytes, memoryview]]
"""From the bytes left and the room to the next stream's content, and what lies behind it."""


class _TooLargeError(Exception):
    """The content has no room."""


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """Decompress a body.

    Args:
        body: the bytes that came.
        encoding: "gzip" or "zstd".
        limit: bytes that may come out of it.

    Raises:
        IngestError: it is damaged, or would be larger than `limit`.
    """
    read = _READERS[encoding]()
    parts: list[bytes] = []
    room = limit
    rest = memoryview(body)

    while rest:
        if len(parts) == _MAX_STREAMS:
            raise IngestError(400, encoding, f"the body has more than {_MAX_STREAMS} {encoding} streams in a row")

        try:
            part, rest = read(rest, room)
        except _TooLargeError:
            raise IngestError(413, "too_large", f"the body is larger than {limit} bytes when decompressed") from None
        except EOFError:
            raise IngestError(400, encoding, f"the body ends within its {encoding} stream") from None
        except ValueError as error:
            raise IngestError(400, encoding, f"the body is no {encoding}: {error}") from None

        room -= len(part)
        parts.append(part)

    return b"".join(parts)


def _gzip() -> _Read:
    def read(rest: memoryview, room: int) -> tuple[bytes, memoryview]:
        stream = zlib.decompressobj(wbits=31)

        try:
            part = stream.decompress(rest, room + 1)
        except zlib.error as error:
            raise ValueError(error) from None

        if len(part) > room:
            raise _TooLargeError

        if not stream.eof:
            raise EOFError

        return part, rest[len(rest) - len(stream.unused_data) :]

    return read


def _zstd() -> _Read:
    zstandard = require("zstandard", "a body in zstd", "hub")
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)

    def read(rest: memoryview, room: int) -> tuple[bytes, memoryview]:
        stream = decompressor.decompressobj()
        parts: list[bytes] = []
        place = 0

        while not stream.eof:
            if place >= len(rest):
                raise EOFError

            try:
                parts.append(stream.decompress(rest[place : place + _STEP]))
            except zstandard.ZstdError as error:
                raise ValueError(error) from None

            place += _STEP
            room -= len(parts[-1])

            if room < 0:
                raise _TooLargeError

        return b"".join(parts), rest[min(place, len(rest)) - len(stream.unused_data) :]

    return read


_READERS: dict[str, Callable[[], _Read]] = {"gzip": _gzip, "zstd": _zstd}
