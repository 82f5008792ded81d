"""Records that come in to a hub, from a process of their own, for `search.py`.

They go the way that an application's go: over HTTP in batches with an Idempotency-Key, each sent when the one before is
acknowledged and its time has come. Their times go on behind `start_us`, as many to the second as are sent in one, so
that they are the newest events of the store. Its standard input ends it; then it prints how many came in a second.

    python tests/benchmarks/search_arrivals.py PORT RATE START_US CORE…
"""

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.events import lines

from loghub.event.model import format_time
from loghub.hub.api.app import create_app
from loghub.hub.server import Server, bind
from loghub.hub.settings import Address, Settings
from loghub.hub.store.duck import DuckStore
from loghub.wire.batch import source_id

_BATCH = 500
_BEFORE = len('{"timestamp":"')
_BEHIND = _BEFORE + len("2026-09-21T14:13:20.000001Z")
_MADE = 40_000
_US = 1_000_000


class Arrivals:
    """A process that sends, for the length of a `with` block.

    Args:
        port: of the hub.
        rate: records in a second.
        start_us: time of the first event.
        cores: those that it may use.

    Attributes:
        rate: records in a second that were acknowledged; known at the end.
    """

    def __init__(self, port: int, rate: int, start_us: int, cores: Iterable[int]) -> None:
        self._command = [sys.executable, __file__, *map(str, (port, rate, start_us, *cores))]
        self.rate = 0.0

    def __enter__(self) -> "Arrivals":
        """Begin; records come in when this returns."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "sending\n"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End."""
        told, _ = self._process.communicate()
        self.rate = float(told) if self._process.returncode == 0 else 0.0


@contextmanager
def taking_in(store: DuckStore, data: Path) -> Iterator[int]:
    """Take events in for a store, in a thread of this process, as `loghub serve` does; gives the port."""
    listener = bind(Address("127.0.0.1", 0), "the benchmark")
    settings = Settings(data=data, port=listener.getsockname()[1])
    ready = threading.Event()
    server = Server(create_app(store, settings, ingest=True), settings, started=lambda _: ready.set())
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()

    try:
        ready.wait()
        yield settings.port
    finally:
        server.stop()
        thread.join()
        listener.close()


def main(port: int, rate: int, start_us: int, *cores: int) -> None:
    """Send until the standard input ends."""
    os.sched_setaffinity(0, cores)
    rests = [line[_BEHIND:] for line in lines(_MADE, seed=2)]
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=(ended,), daemon=True).start()
    sender = Sender(port)
    began = time.perf_counter()

    for number in count():
        first = number * _BATCH
        place = first % _MADE
        sender.send(stamped(rests[place : place + _BATCH], start_us + first * _US // rate, _US / rate))

        if not number:
            print("sending", flush=True)

        if ended.wait(max(0.0, began + (first + _BATCH) / rate - time.perf_counter())):
            break

    print(sender.sent / (time.perf_counter() - began))


def _wait_for_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def stamped(rests: Sequence[bytes], start_us: int, step_us: float) -> bytes:
    """Give lines their times."""
    return b"".join(
        b'{"timestamp":"' + format_time(start_us + int(place * step_us)).encode() + rest
        for place, rest in enumerate(rests)
    )


class Sender:
    """Sends batches, one at a time; one that the hub has no room for, again."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._source = source_id(time.time_ns() // 1000_000, os.urandom(6))
        self.sent = 0

    def send(self, body: bytes) -> None:
        """Send a batch until it is acknowledged."""
        key = f"{self._source}:{self.sent + 1}-{self.sent + _BATCH}"
        status = 0

        while status != 200:
            headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": key}
            self._connection.request("POST", "/api/v1/ingest", body, headers)
            answer = self._connection.getresponse()
            text, status = answer.read(), answer.status
            assert status in (200, 503), text

            if status != 200:
                time.sleep(0.05)

        self.sent += _BATCH


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
