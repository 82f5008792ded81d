"""Compressed bodies: what comes out, what is damaged, and bombs, which are refused before they have grown."""

import gzip
import tracemalloc
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from loghub.hub.refused import IngestError
from loghub.hub.unpack import unpack

PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstandard.compress}
BOTH = pytest.mark.parametrize("encoding", PACK)


def unsized(body: bytes) -> bytes:
    """Compress as a sender does that does not know the length beforehand."""
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(body) + packer.flush()


@BOTH
@given(parts=st.lists(st.binary(max_size=2000), max_size=5))
def test_streams_behind_each_other_are_joined(encoding: str, parts: list[bytes]) -> None:
    assert unpack(b"".join(map(PACK[encoding], parts)), encoding, 10_000) == b"".join(parts)


def test_zstd_of_unknown_length_is_read() -> None:
    assert unpack(unsized(b"x" * 100_000) + unsized(b"y"), "zstd", 200_000) == b"x" * 100_000 + b"y"


@BOTH
def test_content_of_just_the_limit_is_taken(encoding: str) -> None:
    assert len(unpack(PACK[encoding](b"x" * 1000), encoding, 1000)) == 1000


@BOTH
@pytest.mark.parametrize("size", [1001, 200_000_000])
def test_content_beyond_the_limit_is_refused_before_it_has_grown(encoding: str, size: int) -> None:
    bomb = PACK[encoding](bytes(size))
    tracemalloc.start()

    with pytest.raises(IngestError, match="larger than 1000 bytes") as refused:
        unpack(bomb, encoding, 1000)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.status == 413
    assert peak < 40_000_000


def test_bomb_that_does_not_tell_its_size_is_refused() -> None:
    with pytest.raises(IngestError, match="larger than"):
        unpack(unsized(bytes(100_000_000)), "zstd", 1_000_000)


@BOTH
@given(cut=st.integers(1, 40))
def test_stream_that_breaks_off_is_refused(encoding: str, cut: int) -> None:
    body = PACK[encoding](bytes(range(256)))

    with pytest.raises(IngestError) as refused:
        unpack(body[:-cut], encoding, 10_000)

    assert refused.value.status == 400


@BOTH
def test_what_is_not_compressed_is_refused(encoding: str) -> None:
    with pytest.raises(IngestError, match=f"no {encoding}") as refused:
        unpack(b"plain and simple", encoding, 10_000)

    assert refused.value.status == 400


@BOTH
def test_many_empty_streams_are_refused_at_once(encoding: str) -> None:
    with pytest.raises(IngestError, match=f"{encoding} streams") as refused:
        unpack(PACK[encoding](b"") * 200_000, encoding, 2**20)

    assert refused.value.status == 400


def test_window_beyond_what_a_receiver_must_support_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()

    with pytest.raises(IngestError, match="no zstd"):
        unpack(packer.compress(b"x" * 1000) + packer.flush(), "zstd", 10_000)
