"""Each number of a sender reaches the store once, however it cuts a resend, though the hub is stopped and killed."""

import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from store_batches import EVER, START_US, batch, source

from loghub.hub.store.duck import DuckStore
from loghub.query.tree import Everything

SENDERS = (source(1), source(2))

SEND = st.tuples(st.sampled_from(SENDERS), st.integers(-15, 0), st.integers(1, 20))
HAPPENS = st.lists(SEND | st.sampled_from(("stopped", "killed")), min_size=1, max_size=8)


@settings(max_examples=12, deadline=None)
@given(happens=HAPPENS, seal_rows=st.sampled_from((9, 1_000_000)))
def test_each_number_is_stored_once(happens: list[tuple[str, int, int] | str], seal_rows: int) -> None:
    """A batch begins up to 15 numbers before what its sender has not sent yet, so it overlaps as it likes."""
    with TemporaryDirectory() as folder:
        hub = Hub(Path(folder), seal_rows)
        sent = dict.fromkeys(SENDERS, 0)

        for event in happens:
            if isinstance(event, str):
                hub.meet(event)
                continue

            sender, back, count = event
            first = max(1, sent[sender] + 1 + back)
            new = max(0, first + count - 1 - sent[sender])
            (answer,) = hub.store.append([batch(first, count, sender=sender)])
            assert (answer.accepted, answer.duplicate) == (new, count - new)
            sent[sender] += new
            hub.expect(sender, range(sent[sender] - new + 1, sent[sender] + 1))

        hub.check()
        assert {account.source: account.taken for account in hub.store.accounts()} == {
            sender: last for sender, last in sent.items() if last
        }
        hub.store.close()


class Hub:
    """A store that is stopped and killed, and what must be in it."""

    def __init__(self, folder: Path, seal_rows: int) -> None:
        self._folder = folder
        self._seal_rows = seal_rows
        self._lives = 0
        self._expected: list[tuple[str, int]] = []
        self.store = self._open()

    def expect(self, sender: str, numbers: range) -> None:
        self._expected += [(sender, number) for number in numbers]

    def meet(self, event: str) -> None:
        """Let it happen, and start again."""
        before = self._data, self.store

        if event == "stopped":
            self.store.close()
        else:  # what the disk has at this moment is what the next life finds
            self._lives += 1
            _copy(before[0], self._data)

        self.store = self._open()
        before[1].close()

    def check(self) -> None:
        found = self.store.search(Everything(), EVER, now_us=START_US, limit=10_000).events
        assert sorted((stored.source, stored.seq) for stored in found) == sorted(self._expected)

    @property
    def _data(self) -> Path:
        return self._folder / str(self._lives)

    def _open(self) -> DuckStore:
        return DuckStore(self._data, seal_rows=self._seal_rows, keep_us=2**60)


def _copy(data: Path, to: Path) -> None:
    """Copy a directory that is in use: the log before what is sealed, as a log is dropped only after that."""
    for folder in ("wal", "parts", "."):
        (to / folder).mkdir(parents=True, exist_ok=True)

        for path in (data / folder).iterdir():
            if path.is_file() and path.suffix not in (".tmp", ".wal"):
                with suppress(FileNotFoundError):  # sealed and dropped meanwhile
                    shutil.copy(path, to / folder)
