"""The records of a batch that a success does not cover: `{"rejected": [{"id": "<source>-<sequence>", "error": "…"}]}`.

The hub itself rejects none: what it cannot read it keeps, quarantined. Another collector behind the same address may.
What is no such list, or names records of other batches, rejects nothing: the status alone counts.
"""

import json
from collections.abc import Iterator

from loghub.wire.batch import Batch


def event_id(source: str, seq: int) -> str:
    """Give the id under which a hub keeps an event: the source, and the sequence number in 16 hex digits."""
    return f"{source}-{seq:016x}"


def rejected_places(body: bytes, batch: Batch) -> tuple[int, ...]:
    """Read which records are rejected.

    Args:
        body: of the answer.
        batch: what was sent.

    Returns:
        Places in the batch, from 0, in order.
    """
    if b'"rejected"' not in body:
        return ()

    named = set(_ids(body))
    return tuple(place for place in range(len(batch.lines)) if event_id(batch.source, batch.first + place) in named)


def _ids(body: bytes) -> Iterator[object]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return

    rejected = answer.get("rejected") if isinstance(answer, dict) else None

    for item in rejected if isinstance(rejected, list) else ():
        name = item.get("id") if isinstance(item, dict) else item

        if isinstance(name, str):
            yield name
