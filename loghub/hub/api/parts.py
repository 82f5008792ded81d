"""What the endpoints of one app share."""

import time
from dataclasses import dataclass, field

from loghub.hub.counters import Counters
from loghub.hub.departures import Departures
from loghub.hub.feeds import Feeds
from loghub.hub.room import Room
from loghub.hub.sessions import Sessions
from loghub.hub.settings import Settings
from loghub.hub.store.protocol import Store
from loghub.hub.threads import Threads
from loghub.hub.writer import Writer


@dataclass(frozen=True, slots=True)
class Parts:
    """What the endpoints of one app share.

    Attributes:
        store: where the events are.
        settings: what the hub was told.
        sessions: who has signed in.
        room: bytes for the bodies of requests.
        writer: who appends; None where nothing is taken in.
        feeds: what comes in, for live tails.
        threads: for what comes in and for questions that are answered at once.
        tails: threads for what tails read.
        searches: threads for searches, which may be slow and hold up nothing else.
        departures: tells open tails that their session was ended.
        counters: what the hub counts about itself.
        begun: when it began, on the monotonic clock.
    """

    store: Store
    settings: Settings
    sessions: Sessions
    room: Room
    writer: Writer | None
    feeds: Feeds
    threads: Threads = field(default_factory=lambda: Threads(name="loghub-store"))
    tails: Threads = field(default_factory=lambda: Threads(name="loghub-tail"))
    searches: Threads = field(default_factory=lambda: Threads(name="loghub-search"))
    departures: Departures = field(default_factory=Departures)
    counters: Counters = field(default_factory=Counters)
    begun: float = field(default_factory=time.monotonic)

    def end_searches(self) -> None:
        """Refuse the searches under way, stop them where the engine can, and end the tails over HTTP; idempotent."""
        self.searches.close()
        self.departures.end_all()
        interrupt = getattr(self.store, "interrupt", None)

        if interrupt is not None:
            interrupt()

    def close(self) -> None:
        """Write what waits and let the threads end; the store stays open. Idempotent."""
        self.end_searches()

        if self.writer is not None:
            self.writer.close()

        self.feeds.close()
        self.tails.close()
        self.threads.close()

    def wait(self, seconds: float) -> None:
        """Wait for the threads that `close` let end, no longer than this."""
        until = time.monotonic() + seconds

        for threads in (self.searches, self.tails, self.threads):
            threads.join(until)
