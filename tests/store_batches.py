"""Batches for tests of the store."""

from collections.abc import Sequence

from loghub.event.encode import decode, encode
from loghub.event.model import Event, JSONValue, format_time
from loghub.hub.store.protocol import Incoming, Quarantined, Span

START_US = 1_790_000_000_000_000
SOURCE = "0123456789ab" + "0" * 12
EVER = Span(-(2**60), 2**60)


def source(number: int) -> str:
    return f"{number:024x}"


def batch(
    first: int = 1,
    count: int = 3,
    *,
    sender: str = SOURCE,
    times: Sequence[int] | None = None,
    received_us: int = START_US,
    bad: Sequence[int] = (),
    fields: dict[str, JSONValue] | None = None,
) -> Incoming:
    """Make a batch of `count` lines; those whose sequence number is in `bad` are quarantined."""
    seqs = [seq for seq in range(first, first + count) if seq not in bad]
    offsets = times if times is not None else range(first, first + count)

    lines = [
        encode(
            {
                "timestamp": format_time(START_US + offsets[seq - first]),
                "level": ("INFO", "ERROR")[seq % 2],
                "logger": "app",
                "message": f"event {seq}",
                "service": f"service-{seq % 3}",
                **(fields or {}),
            }
        )
        for seq in seqs
    ]

    return Incoming(
        source=sender,
        first=first,
        last=first + count - 1,
        received_us=received_us,
        seqs=seqs,
        lines=lines,
        events=[Event.from_mapping(decode(line), now_us=received_us) for line in lines],
        quarantined=[Quarantined(seq - first + 1, seq, b"no\xffevent", "not JSON") for seq in bad],
    )
