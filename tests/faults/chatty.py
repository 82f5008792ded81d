"""An application that logs until it is told to end, or killed, and notes each call that has returned.

Arguments: the URL, the file of what returned, its name, threads, and a spool directory or "".
A line of the file is written with one `os.write` after the call, so what stands there was promised.
"""

import logging
import os
import random
import signal
import sys
import threading
import time
from hashlib import sha256
from typing import Any

from loghub.handlers.delivery import Pace
from loghub.handlers.remote import RemoteHandler


class QuickHandler(RemoteHandler):
    """Retries within tenths of a second, as hubs here are away for a second."""

    def _pace(self) -> Pace:
        return Pace(0.02, 0.3)


def main(url: str, side: str, name: str, threads: int, spool: str) -> None:
    """Log from several threads until SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    options: dict[str, Any] = {"spool": spool, "spool_size": "4 GB"} if spool else {}  # a dead one leaves 8 MB

    if name[-1] in "02468":  # damage to what is not compressed is seen by the digest alone
        options["compress"] = "none"

    handler = QuickHandler(url, linger="5 ms", batch_records=100, timeout="3 s", exit_deadline="30 s", **options)
    logger = logging.Logger(name)  # noqa: LOG001 (one of its own)
    logger.addHandler(handler)
    returned = os.open(side, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    workers = [threading.Thread(target=_chat, args=(logger, returned, f"{name}.{n}", ended)) for n in range(threads)]

    logger.info("%s is there", name)  # no thread sends, its own or a dead one's, before the first record

    for worker in workers:
        worker.start()

    sys.stdout.write("ready\n")
    sys.stdout.flush()

    while not ended.wait(0.1):
        pass

    for worker in workers:
        worker.join()


def echo(message: str) -> str:
    """Give a text that shows whether a record came as it was sent: most of its bytes are here."""
    return sha256(message.encode()).hexdigest() * 6


def _chat(logger: logging.Logger, returned: int, name: str, ended: threading.Event) -> None:
    chance = random.Random(name)
    number = 0

    while not ended.is_set():
        for _ in range(chance.randint(1, 15)):
            number += 1
            message = f"{name}.{number}"
            logger.info(message, extra={"echo": echo(message)})
            os.write(returned, f"{message}\n".encode())

        time.sleep(chance.uniform(0, 0.08))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
