"""Compressed bytes → bytes, gz and zst alike, piece by piece; several streams behind one another are one.

A stream that ends too early gives what can be read of it before it says so.
"""

import zlib
from collections.abc import Callable
from typing import Any, Protocol

from loghub.errors import require

_INPUT = 4096  # a piece of it may become a thousand times as much
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


class DamagedError(Exception):
    """Compressed bytes that cannot be read any further; the message says why."""


class _Stream(Protocol):
    """What zlib and zstandard call a decompression object."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class Unpacker:
    """Decompresses from the beginning on.

    Args:
        read: gives up to so many bytes from an offset on; fewer only at the end.
        stream: makes a decompression object.
    """

    def __init__(self, read: Callable[[int, int], bytes], stream: Callable[[], _Stream]) -> None:
        self._read = read
        self._new_stream = stream
        self._stream = stream()
        self._offset = 0
        self._is_begun = False

    def more(self) -> bytes:
        """Give some more bytes; none at the end.

        Raises:
            DamagedError: it ends too early, or makes no sense.
        """
        while data := self._next_input():
            if out := self._unpack(data):
                return out

        if self._is_begun and not self._stream.eof:
            raise DamagedError("the compressed file ends too early")

        return b""

    def _next_input(self) -> bytes:
        rest = self._stream.unused_data if self._stream.eof else b""

        if self._stream.eof and (rest or self._read(self._offset, 1)):
            self._stream, self._is_begun = self._new_stream(), False

        if rest.strip(b"\0"):
            return rest

        data = self._read(self._offset, _INPUT)
        self._offset += len(data)
        return data if self._is_begun or data.strip(b"\0") else b""  # some pad the end with zeros

    def _unpack(self, data: bytes) -> bytes:
        self._is_begun = True

        try:
            return self._stream.decompress(data)
        except Exception as error:  # noqa: BLE001 (zlib.error, or zstandard's, which may be missing)
            raise DamagedError(f"the compressed file is damaged: {error}") from None


def stream_of(magic: bytes, name: str) -> Callable[[], _Stream] | None:
    """Give what decompresses a file that begins with these four bytes; None where it is not compressed.

    Raises:
        MissingExtraError: it is zstd, and no package for that is installed.
    """
    if magic[:2] == _GZIP:
        return lambda: zlib.decompressobj(wbits=31)

    if magic == _ZSTD:
        zstandard: Any = require("zstandard", f"reading {name}", "zst")
        return lambda: zstandard.ZstdDecompressor().decompressobj()

    return None
