"""One writer for all requests: what waits while the disk is busy goes to it together (group commit).

Rules:
1. A request is answered when the store has its batch, never before.
2. Batches reach the store in the order in which they were submitted. Those that came without a
   name get theirs at that moment, so that their sequence numbers only ever go up.
3. When the disk refuses, nobody in that group is acknowledged: each may send again.
"""

import os
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

from loghub.hub.ingest import Reading
from loghub.hub.store.protocol import Appended, Incoming, Store
from loghub.wire.batch import Identity, source_id

_MAX_GROUP = 256  # batches that go to the store in one call


class Writer:
    """The only one that appends to a store.

    Args:
        store: where the batches go.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[tuple[Incoming, Future[Appended]]] = deque()
        self._source = source_id(time.time_ns() // 1_000_000, os.urandom(6))
        self._next = 1
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "loghub-writer")
        self._is_draining = False

    def submit(self, reading: Reading, identity: Identity | None) -> "Future[Appended]":
        """Put a body in the line; the future is done when it is on disk.

        The future fails with the OSError of a disk that refused.
        """
        future: Future[Appended] = Future()
        future.set_running_or_notify_cancel()  # a caller that goes away does not take its batch along

        with self._lock:
            self._waiting.append((self._named(reading, identity), future))

            if not self._is_draining:
                self._is_draining = True
                self._thread.submit(self._drain)

        return future

    def close(self) -> None:
        """Write what waits, then end; idempotent."""
        self._thread.shutdown()

    def _named(self, reading: Reading, identity: Identity | None) -> Incoming:
        if identity is not None:
            return reading.batch(identity.source, identity.first)

        batch = reading.batch(self._source, self._next)
        self._next += reading.size
        return batch

    def _drain(self) -> None:
        while group := self._take():
            try:
                answers = self._store.append([batch for batch, _ in group])
            except BaseException as error:  # noqa: BLE001 (whoever waits must hear of it)
                for _, future in group:
                    future.set_exception(error)
            else:
                for (_, future), answer in zip(group, answers, strict=True):
                    future.set_result(answer)

    def _take(self) -> list[tuple[Incoming, "Future[Appended]"]]:
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MAX_GROUP))]
            self._is_draining = bool(group)

        return group
