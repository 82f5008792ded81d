"""The lines of a log, to be sent: across its rotations, and each one under the same name however often it is sent.

Rules:
1. A line goes under the name of its file's life and its number there, which a rotation does not change. So one that
   is sent again, after a crash of this process or of the hub, has no second effect.
2. The name of a life is on the disk before its first line goes; how far it was read, after the hub has answered.
3. A line that is no JSON object becomes the message of an event. A blank one is passed over; its number is used up.
4. What the hub refuses for good goes to `dead/` in the state.
5. A log is sent by one process at a time, which holds the lock of its state.
"""

import hashlib
import json
import os
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from loghub.errors import ConfigError
from loghub.event.encode import encode
from loghub.handlers.diagnostics import say
from loghub.handlers.spool import dead, owner
from loghub.reading.follow import Follower
from loghub.reading.lives import Chunk, Position
from loghub.wire.batch import Batch

_RECORDS = 500
_BYTES = 1_000_000
_LOOK_EVERY = 0.25


class LogSupply:
    """The lines of one log, across its rotations.

    Args:
        log: the file that is written to; it need not exist yet.
        state: a directory for what has to be remembered of it.

    Raises:
        ConfigError: another process ships this log.
        OSError: the state cannot be kept.
    """

    dropped = 0

    def __init__(self, log: Path, state: Path) -> None:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        claim = owner.claim(state)

        if claim is None:
            raise ConfigError("loghub ship", "FILE", str(log), "another process ships it; end that one first")

        self.dead = 0
        self._claim = claim
        self._state = state
        self._path = state / "positions.json"
        self._saved = _load(self._path)
        self._follower = Follower(log, self._saved, tell=_tell)
        self._chunks: Iterator[Chunk] = iter(())
        self._waiting: deque[Batch] = deque()

    @property
    def queued(self) -> int:
        """Lines that were read and wait."""
        return sum(len(batch.lines) for batch in self._waiting)

    def tend(self) -> float:
        """Remember how far it was read, once the hub has answered for all of that."""
        if not self._waiting and self._follower.positions != self._saved:
            self._save(self._follower.positions)

        return _LOOK_EVERY

    def take(self, _records: int, _size: int) -> Batch | None:
        """Give lines that were not acknowledged yet."""
        if not self._waiting:
            self.tend()
            chunk = next(self._chunks, None)

            if chunk is None:
                self._chunks = self._follower.poll()
                chunk = next(self._chunks, None)

            if chunk is not None:
                self._remember_name(chunk)
                self._waiting.extend(_batches(chunk))

        return self._waiting[0] if self._waiting else None

    def settle_acked(self, count: int) -> None:
        """Let go of lines that the hub has."""
        self._settle(count)

    def settle_dead(self, count: int, reason: str = "") -> None:
        """Lay lines that the hub will never take into `dead/` of the state."""
        batch, at = self._waiting[0], dead.now()
        lines = enumerate(batch.lines[:count], batch.first)
        dead.add(self._state, [dead.DeadRecord(batch.source, seq, at, reason, line) for seq, line in lines])
        self.dead += count
        self._settle(count)

    def close(self) -> None:
        """Let go of the files; what was read and not acknowledged is read again."""
        self.tend()
        self._follower.close()
        self._claim.release()

    def _settle(self, count: int) -> None:
        batch = self._waiting.popleft()

        if count < len(batch.lines):
            self._waiting.appendleft(Batch(batch.source, batch.first + count, batch.lines[count:]))

    def _remember_name(self, chunk: Chunk) -> None:
        """Have the name of a new life on the disk before it is used."""
        before = chunk.before

        if before.source not in {position.source for position in self._saved}:
            known = [position for position in self._follower.positions if position.source != before.source]
            self._save([*known, before])

    def _save(self, positions: Sequence[Position]) -> None:
        made = self._path.with_suffix(".new")

        with made.open("w") as file:
            json.dump([_plain(position) for position in positions], file)
            file.flush()
            os.fsync(file.fileno())

        made.replace(self._path)
        self._saved = list(positions)


def state_of(log: Path, url: str, folder: Path | None = None) -> Path:
    """Give the directory of what is remembered of a log that is sent to an address.

    Args:
        log: the file.
        url: where it goes.
        folder: where states are kept; that of the user where it is left out.
    """
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    name = hashlib.sha256(f"{url}\0{log.absolute()}".encode()).hexdigest()[:16]
    return (folder or Path(home).expanduser() / "loghub" / "ship") / f"{log.name}-{name}"


def _batches(chunk: Chunk) -> Iterator[Batch]:
    """Cut a chunk into batches without a gap in their numbers."""
    lines: list[bytes] = []
    first = size = 0

    for number, text in enumerate(chunk.piece.texts, chunk.first):
        line = _line(text)

        if lines and (not line or len(lines) == _RECORDS or size + len(line) > _BYTES):
            yield Batch(chunk.after.source, first, tuple(lines))
            lines, size = [], 0

        if line:
            first = first if lines else number
            lines.append(line)
            size += len(line)

    if lines:
        yield Batch(chunk.after.source, first, tuple(lines))


def _line(text: bytes) -> bytes:
    """Give what is sent for a line of a file; nothing for a blank one."""
    text = text.strip()

    if not text or text.startswith(b"{"):
        return text + b"\n" if text else b""

    return encode({"message": text.decode("utf-8", "backslashreplace")})


def _plain(position: Position) -> dict[str, object]:
    texts = {"head": b64encode(position.head).decode(), "tail": b64encode(position.tail).decode()}
    return asdict(position) | texts


def _load(path: Path) -> list[Position]:
    """Read positions.

    Raises:
        ConfigError: they are damaged: without them every line would be sent again, under another name.
    """
    try:
        said = json.loads(path.read_text())
        texts = [{"head": b64decode(one["head"]), "tail": b64decode(one["tail"])} for one in said]
        return [Position(**(one | text)) for one, text in zip(said, texts, strict=True)]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError) as error:
        remedy = f"it is damaged ({error}); delete it, and every line of that log is sent again"
        raise ConfigError("loghub ship", "--state", str(path), remedy) from None


def _tell(path: Path, why: str) -> None:
    say("loghub ship", f"{path}: {why}", subject=str(path))
