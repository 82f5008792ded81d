"""One thread at a time of whoever needs one, though making it may run what needs it too."""

import threading


class SoleThread:
    """Has a thread, or none yet.

    Whoever starts one makes it first and claims its place then: a `__del__` or a signal handler that logs while it is
    made may have started another by that time, through the same reentrant lock.
    """

    _thread: threading.Thread | None = None

    def _claim(self, thread: threading.Thread) -> bool:
        """Let a thread be the one; False where there is one by now."""
        if self._thread is not None:
            return False

        self._thread = thread
        return True
