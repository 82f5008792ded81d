"""What an answer means for a batch: a table and a small state machine. No clock, no socket, no thread.

| answer | effect |
|---|---|
| 2xx | acknowledged, also what the hub quarantined; records that its body rejects are dead |
| 3xx, 2xx with a web page | no hub there: hold, say it, probe at the longest delay |
| 401 403 404 405 501 505, other 4xx, a bad certificate | the same: it can be put right, so nothing is dropped |
| 400 422 | halve until one record is left, then dead |
| 413 | halve; a single record is shortened once, then dead |
| 408 425 429, other 5xx | retry: Retry-After (at most an hour), else full jitter up to the longest delay |
| no answer (timeout, reset, DNS, TLS, refused) | retry |

Rules:
1. Order is kept: a part is finished (acknowledged or dead) before the next one is sent.
2. A part that is retried keeps its lines and so its Idempotency-Key. Halves have keys of their own;
   the hub trims by sequence number, so it does not matter how a resend is cut.
3. There is no limit on attempts: the bound of the queue is what ends an outage.
4. The circuit tells how it stands. It opens where somebody has to put something right, and after five failures in a
   row; while it is open nothing is sent but a probe now and then (half-open), and an answer that settles something
   closes it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum

from loghub.event.encode import decode, encode
from loghub.wire.batch import Batch

_MAX_RETRY_AFTER = 3600.0
_MIN_DELAY = 0.05  # a server that says "Retry-After: 0" to everything must not make a busy loop
_BREAKS_AT = 5  # failures in a row, after which the circuit is open
_SHORT = 1024


class Trouble(Enum):
    """What came instead of a status that can be believed."""

    NO_ANSWER = "no answer"
    BAD_CERTIFICATE = "bad certificate"
    NO_HUB = "no hub"


class Circuit(Enum):
    """How a destination stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Effect(Enum):
    """What is done with a part of a batch."""

    ACK = "acknowledged"
    RETRY = "retry"
    HOLD = "hold"
    HALVE = "halve"
    SHORTEN = "shorten"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: an HTTP status, or why there is none.
        retry_after: the header of that name.
        detail: a few words for people.
        rejected: places in the batch, from 0 and in order, of records that a success does not cover.
    """

    status: int | Trouble
    retry_after: str | None = None
    detail: str = ""
    rejected: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided.

    Attributes:
        effect: what happened to the part.
        settled: how many lines are done with, acknowledged or dead.
        rejected: places among them of those that are dead though the others are acknowledged.
        delay: seconds to wait before the next request.
        reason: the answer in words.
        key: the same without particulars, for counting.
    """

    effect: Effect
    settled: int = 0
    delay: float = 0.0
    reason: str = ""
    key: str = ""
    rejected: tuple[int, ...] = ()


# Not the module's generator: an application may have seeded it, and forked children share its state.
_chance = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait, in seconds, and where chance comes from."""

    first: float = 0.5
    longest: float = 60.0
    uniform: Callable[[float, float], float] = field(default=_chance.uniform, repr=False)


_BY_STATUS = {
    **dict.fromkeys((408, 425, 429), Effect.RETRY),
    **dict.fromkeys((400, 422), Effect.HALVE),
    413: Effect.SHORTEN,
    **dict.fromkeys((501, 505), Effect.HOLD),
}
_BY_HUNDRED = {1: Effect.RETRY, 2: Effect.ACK, 3: Effect.HOLD, 4: Effect.HOLD, 5: Effect.RETRY}
_TROUBLES = {
    Trouble.NO_ANSWER: Effect.RETRY,
    Trouble.BAD_CERTIFICATE: Effect.HOLD,
    Trouble.NO_HUB: Effect.HOLD,
}


def effect_of(status: int | Trouble) -> Effect:
    """Look an answer up in the table."""
    if isinstance(status, Trouble):
        return _TROUBLES[status]

    return _BY_STATUS.get(status) or _BY_HUNDRED.get(status // 100, Effect.RETRY)


def retry_delay(text: str | None, now: float) -> float | None:
    """Read a Retry-After header: seconds or a date, at most an hour.

    Args:
        text: the header.
        now: unix time, which a date is compared with.

    Returns:
        Seconds, or None where the header says nothing that can be understood.
    """
    if text is None:
        return None

    text = text.strip()

    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _MAX_RETRY_AFTER)

    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None

    if moment.tzinfo is None:  # "-0000": UTC of unknown origin
        moment = moment.replace(tzinfo=UTC)

    return min(max(moment.timestamp() - now, 0.0), _MAX_RETRY_AFTER)


class Delivery:
    """The way of one batch after another: what to send now, and what an answer changes about that."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._parts: list[Batch] = []
        self._failures = 0
        self._shortened = False
        self.circuit = Circuit.CLOSED

    @property
    def current(self) -> Batch | None:
        """The part to send now; None when the batch is done."""
        return self._parts[0] if self._parts else None

    def start(self, batch: Batch) -> None:
        """Begin with a batch; what was left of the last one is forgotten."""
        self._parts = [batch]
        self._shortened = False

    def sending(self) -> None:
        """Note that the current part is sent now: where the circuit is open, this is the probe."""
        if self.circuit is Circuit.OPEN:
            self.circuit = Circuit.HALF_OPEN

    def answered(self, answer: Answer, now: float) -> Verdict:
        """Decide what an answer to the current part means.

        Args:
            answer: what came back.
            now: unix time, for a Retry-After that is a date.
        """
        effect = effect_of(answer.status)
        key = answer.status.value if isinstance(answer.status, Trouble) else f"HTTP {answer.status}"
        reason = f"{key} ({answer.detail})" if answer.detail else key

        if effect is Effect.RETRY:
            return Verdict(effect, 0, self._retry(answer, now), reason, key)

        if effect is Effect.HOLD:
            self.circuit = Circuit.OPEN
            return Verdict(effect, 0, self._pace.longest, reason, key)

        self._failures = 0
        self.circuit = Circuit.CLOSED
        done, settled = _APPLY[effect](self)
        return Verdict(done, settled, 0.0, reason, key, answer.rejected if done is Effect.ACK else ())

    def _retry(self, answer: Answer, now: float) -> float:
        self._failures += 1

        if self._failures >= _BREAKS_AT or self.circuit is Circuit.HALF_OPEN:
            self.circuit = Circuit.OPEN

        asked = retry_delay(answer.retry_after, now)

        if asked is not None:
            return max(asked, _MIN_DELAY)

        ceiling = min(self._pace.longest, self._pace.first * 2.0 ** min(self._failures - 1, 30))
        return self._pace.uniform(0.0, ceiling)

    def _finish(self) -> int:
        self._shortened = False
        return len(self._parts.pop(0).lines)

    def _acknowledge(self) -> tuple[Effect, int]:
        return Effect.ACK, self._finish()

    def _halve(self) -> tuple[Effect, int]:
        part = self._parts[0]
        middle = len(part.lines) // 2

        if not middle:
            return Effect.DEAD, self._finish()

        self._parts[:1] = [
            replace(part, lines=part.lines[:middle]),
            replace(part, first=part.first + middle, lines=part.lines[middle:]),
        ]
        return Effect.HALVE, 0

    def _shorten(self) -> tuple[Effect, int]:
        part = self._parts[0]

        if len(part.lines) > 1 or self._shortened:
            return self._halve()

        self._shortened = True
        self._parts[0] = replace(part, lines=(shorten(part.lines[0]),))
        return Effect.SHORTEN, 0


_APPLY: dict[Effect, Callable[[Delivery], tuple[Effect, int]]] = {
    Effect.ACK: Delivery._acknowledge,  # noqa: SLF001 (the table belongs to the class)
    Effect.HALVE: Delivery._halve,  # noqa: SLF001
    Effect.SHORTEN: Delivery._shorten,  # noqa: SLF001
}


def shorten(line: bytes) -> bytes:
    """Cut a line that the hub finds too large: long texts are cut, large nested values left out; it says which."""
    try:
        fields = decode(line)
    except ValueError:
        return line

    large = {key: value for key, value in fields.items() if len(encode({key: value})) > _SHORT}
    cut = {key: value[:_SHORT] + "…" for key, value in large.items() if isinstance(value, str)}
    kept = {key: cut.get(key, value) for key, value in fields.items() if key in cut or key not in large}
    return encode({**kept, "truncated": list(large)})
