"""What became of the lines that a file did not take: counted for each path, for as long as the process lives."""

from collections.abc import Iterable
from dataclasses import dataclass

from loghub.metrics import Family


@dataclass(slots=True)
class Account:
    """What became of the lines that a file did not take, in this process.

    Attributes:
        lost: lines that are nowhere.
        diverted: lines that the fallback took.
        dropped: those of the lost ones that found the queue of `write: async` full.
        untold: lost lines that no event in the file tells of yet.
        untold_diverted: the same for diverted ones.
        roll_failures: attempts to roll over that failed.
    """

    lost: int = 0
    diverted: int = 0
    dropped: int = 0
    untold: int = 0
    untold_diverted: int = 0
    roll_failures: int = 0

    def forget(self) -> None:
        """Start anew in the child of a fork: what was lost before is in its parent's account."""
        self.lost = self.diverted = self.dropped = self.untold = self.untold_diverted = self.roll_failures = 0


_accounts: dict[str, Account] = {}


def account_of(path: str) -> Account:
    """Give the account of a path: a new configuration goes on with it."""
    return _accounts.setdefault(path, Account())


def families(waiting: Iterable[tuple[str, int]]) -> tuple[Family, ...]:
    """Give what `loghub.metrics` shows of files that had trouble.

    Args:
        waiting: path and lines that wait, of each file.
    """
    known = [
        (path, account)
        for path, account in tuple(_accounts.items())
        if account.lost or account.diverted or account.roll_failures
    ]

    def counter(name: str, text: str, attribute: str) -> Family:
        samples: dict[tuple[str, ...], float] = {(path,): getattr(account, attribute) for path, account in known}
        return Family(f"log_file_{name}_total", text, "counter", ("file",), samples)

    waits: dict[tuple[str, ...], float] = {(path,): lines for path, lines in waiting if lines}
    return (
        counter("lost", "Lines that neither the file nor the fallback has.", "lost"),
        counter("dropped", "Lost lines that found the queue full.", "dropped"),
        counter("diverted", "Lines that went to the fallback.", "diverted"),
        counter("roll_failures", "Attempts to roll over that failed.", "roll_failures"),
        Family("log_file_waiting", "Lines that wait for the file.", "gauge", ("file",), waits),
    )
