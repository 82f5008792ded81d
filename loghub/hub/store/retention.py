"""Which sealed parts have had their time; decides, deletes nothing.

What counts is when the hub had an event, never the time that the event says: an import of last year's
lines is kept as long as today's, and a clock that is ahead keeps nothing for ever.
"""

from collections.abc import Sequence

from loghub.hub.store.partitions import Part


def expired(parts: Sequence[Part], *, now_us: int, keep_us: int, keep_bytes: int) -> list[Part]:
    """Give the sealed parts that are too old, and the oldest of those that are too much.

    Args:
        parts: all parts; the hot ones stay.
        now_us: the time.
        keep_us: how long an event is kept at least, from its receipt on.
        keep_bytes: how many bytes of sealed files are kept at most.
    """
    sealed = sorted((part for part in parts if part.path), key=lambda part: part.extent.received_us, reverse=True)
    total = 0
    gone = []

    for part in sealed:
        total += part.size

        if part.extent.received_us < now_us - keep_us or total > keep_bytes:
            gone.append(part)

    return gone
