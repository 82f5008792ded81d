"""The questions under way: each has a time limit, and all of them end when the store does.

Rules:
1. DuckDB forgets an interrupt that comes between two statements. So a question that has to end is
   interrupted again and again until it has.
2. One thread watches them all; it sleeps while nothing is asked.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from loghub.errors import QueryMemoryError, QueryTimeoutError, StoreError
from loghub.hub.store.engine import Cursor
from loghub.hub.store.stop import current_stop

_AGAIN_S = 0.02
_SUM_UP_S = 5.0
_CLOSED = "the store is closed"


@dataclass(slots=True, eq=False)
class Question:
    """One question.

    Attributes:
        cursor: to ask it with.
        deadline: until when it may take, on the monotonic clock.
        error: why it has to end; None while it may go on.
    """

    cursor: Cursor
    deadline: float
    error: StoreError | None = None

    @property
    def is_late(self) -> bool:
        """Tell whether it was interrupted because it took too long."""
        return isinstance(self.error, QueryTimeoutError)


class Queries:
    """Gives out cursors that can be interrupted.

    Args:
        engine: whose cursors.
        seconds: how long a question may take.

    Attributes:
        asked: how many questions there were.
    """

    def __init__(self, engine: Cursor, seconds: float) -> None:
        self._engine = engine
        self._seconds = seconds
        self._running: set[Question] = set()
        self._changed = threading.Condition()
        self._closed = False
        self._ended_at = time.monotonic()
        self.asked = 0
        threading.Thread(target=self._watch, name="loghub-queries", daemon=True).start()

    @contextmanager
    def cursor(self, *, limited: bool = True) -> Iterator[Cursor]:
        """Give a cursor for the length of a `with` block.

        Args:
            limited: whether the time limit holds.

        Raises:
            QueryTimeoutError: it took too long.
            QueryMemoryError: it needs more memory than the engine has.
            StoreError: it was interrupted, or the store is closed.
        """
        with self.question(limited=limited) as question:
            yield question.cursor

    @contextmanager
    def question(self, *, limited: bool = True) -> Iterator[Question]:
        """Give a question, whose cursor is good for the length of a `with` block; as `cursor` does."""
        with self._cursor() as cursor:
            question = self._begin(cursor, time.monotonic() + self._seconds if limited else float("inf"))
            end_watch = current_stop().watch(lambda: self._stop(question))

            try:
                yield question
            except duckdb.InterruptException as error:
                raise question.error or error from error
            except duckdb.OutOfMemoryException as error:
                raise QueryMemoryError from error
            finally:
                end_watch()

                with self._changed:
                    self._running.remove(question)
                    self._ended_at = time.monotonic()
                    self._changed.notify_all()

    def _cursor(self) -> Cursor:
        if self._closed:
            raise StoreError(_CLOSED)

        try:
            return self._engine.cursor()
        except duckdb.ConnectionException as error:  # closed at this moment
            raise StoreError(_CLOSED) from error

    def quiet_s(self) -> float:
        """Tell for how many seconds nothing has been asked."""
        with self._changed:
            return 0.0 if self._running else time.monotonic() - self._ended_at

    def sum_up(self, question: Question) -> None:
        """Give a question that came too late a little more time, to make an answer of what it has."""
        with self._changed:
            question.error = None
            question.deadline = time.monotonic() + _SUM_UP_S
            self._changed.notify_all()

    def _stop(self, question: Question) -> None:
        with self._changed:
            question.error = StoreError("nobody waits for the answer")
            self._changed.notify_all()

    def _begin(self, cursor: Cursor, deadline: float) -> Question:
        question = Question(cursor, deadline)

        with self._changed:
            if self._closed:
                raise StoreError(_CLOSED)

            self._running.add(question)
            self.asked += 1
            self._changed.notify_all()

        return question

    def interrupt(self) -> None:
        """End what is asked now with a StoreError; what is asked later is answered."""
        self._end("the query was interrupted: ask again")

    def close(self) -> None:
        """End what is asked now, and refuse what is asked later; idempotent."""
        with self._changed:
            self._closed = True

        self._end("the store was closed while the query ran")

    def _end(self, reason: str) -> None:
        with self._changed:
            for question in self._running:
                question.error = question.error or StoreError(reason)

            self._changed.notify_all()

    def _watch(self) -> None:
        with self._changed:
            while self._running or not self._closed:
                self._changed.wait(self._interrupt_due(time.monotonic()))

    def _interrupt_due(self, now: float) -> float | None:
        """Interrupt what has to end; give the seconds until it has to be looked at again, None for as long as it is."""
        next_look = float("inf")

        for question in self._running:
            if question.deadline <= now and question.error is None:
                question.error = QueryTimeoutError(self._seconds)

            if question.error is not None:
                question.cursor.interrupt()

            next_look = min(next_look, now + _AGAIN_S if question.error else question.deadline)

        return None if next_look == float("inf") else next_look - now
