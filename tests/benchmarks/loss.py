"""What each way of sending logs loses and doubles, counted: receivers and applications are killed under load.

    pip install python-logstash-async opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
    python tests/benchmarks/loss.py --kills 10

Each sender has a receiver of its own, in a process: it writes down what it takes before it answers, and a killed one
comes back on the same port. loghub has its hub. Applications log 2 000 records a second from one thread and write down
each call that has returned. Two trials: the receiver is killed again and again and the application ends in order;
the application is killed again and again. After either, one more application logs a single record and stays for a
while, so that what is kept on a disk is delivered where the sender can do that.
"""

import argparse
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from processes import HubProcess, free_port, wait_for

_HERE = Path(__file__).resolve().parent
_SETTLE = 40.0


@dataclass(frozen=True, slots=True)
class Case:
    """A sender.

    Attributes:
        name: for the table.
        kind: for `loss_sender.py`.
        packages: whose versions are told.
    """

    name: str
    kind: str
    packages: tuple[str, ...] = ()


CASES = (
    Case("**loghub** RemoteHandler with a spool", "spool"),
    Case("**loghub** RemoteHandler, in memory", "memory"),
    Case("HTTPHandler behind QueueHandler", "http"),
    Case("python-logstash-async, with its database", "logstash", ("python-logstash-async",)),
    Case("OpenTelemetry, batch processor, OTLP/HTTP", "otlp", ("opentelemetry-sdk",)),
)


class Receiver:
    """A receiver that writes down what it takes."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.port = free_port()
        self._taken = folder / "taken"
        self._command = [sys.executable, str(_HERE / "loss_receiver.py"), kind, str(self.port), str(self._taken)]
        self._process: subprocess.Popen[bytes] | None = None
        self._taken.touch()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        wait_for(self._is_ready)

    def stop(self, with_signal: int) -> None:
        if self._process is not None:
            self._process.send_signal(with_signal)
            self._process.wait()

    def messages(self) -> list[str]:
        return self._taken.read_text().split()

    def _is_ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False

        return True


class Hub(HubProcess):
    """loghub's own."""

    def messages(self) -> list[str]:
        return [event["message"] for event in self.events("logger:app*")]


class Trial:
    """One sender, one receiver, one folder."""

    def __init__(self, case: Case, folder: Path, seed: int) -> None:
        self._kind = case.kind
        self._folder = folder
        self._chance = random.Random(seed)
        ours = case.kind in ("spool", "memory")
        self._receiver: Hub | Receiver = Hub(folder / "hub") if ours else Receiver(case.kind, folder)
        self._receiver.start()
        self._born = 0

    def kill_receivers(self, times: int) -> None:
        """Kill the receiver under load, then let the application end in order."""
        app = self._bear()

        for _ in range(times):
            time.sleep(self._chance.uniform(0.3, 1.2))
            self._receiver.stop(signal.SIGKILL)
            time.sleep(self._chance.uniform(0.1, 1.0))
            self._receiver.start()

        time.sleep(1.0)
        self._end(app)

    def kill_applications(self, times: int) -> None:
        """Kill the application under load, and let the last one end in order."""
        app = self._bear()

        for _ in range(times):
            time.sleep(self._chance.uniform(0.3, 1.2))
            app.kill()
            app.wait()
            app = self._bear()

        time.sleep(1.0)
        self._end(app)

    def count(self) -> tuple[int, int, int]:
        """Give how many calls returned, how many of these records are missing, and how many are there twice."""
        returned = {line for path in self._folder.glob("*.returned") for line in path.read_text().split()}
        heir = self._bear(rate=0)
        deadline = time.monotonic() + _SETTLE
        taken = Counter(self._receiver.messages())

        while returned - set(taken) and time.monotonic() < deadline:
            time.sleep(1.0)
            taken = Counter(self._receiver.messages())

        heir.kill()
        heir.wait()
        self._receiver.stop(signal.SIGKILL)
        return len(returned), len(returned - set(taken)), sum(times > 1 for times in taken.values())

    def _bear(self, rate: int = 2000) -> "subprocess.Popen[bytes]":
        self._born += 1
        side = self._folder / f"app{self._born}.returned"
        command = [sys.executable, str(_HERE / "loss_sender.py"), self._kind, str(self._receiver.port)]
        process = subprocess.Popen(
            [*command, str(side), f"app{self._born}", str(self._folder), str(rate)], stderr=subprocess.DEVNULL
        )
        wait_for(lambda: side.exists() and side.stat().st_size)
        return process

    def _end(self, app: "subprocess.Popen[bytes]") -> None:
        app.terminate()

        try:
            app.wait(60)
        except subprocess.TimeoutExpired:  # its exit has no bound
            app.kill()
            app.wait()


_TRIALS: dict[str, Callable[[Trial, int], None]] = {
    "receiver killed": Trial.kill_receivers,
    "application killed": Trial.kill_applications,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="a word of the sender's name")
    asked = parser.parse_args()
    print(f"{asked.kills} kills in each trial, seed {asked.seed}; CPython {sys.version.split()[0]};", _versions())
    print("\n| sender | trial | calls that returned | lost | there twice |\n|---|---|---|---|---|")

    for case in CASES:
        if asked.only and asked.only not in case.name:
            continue

        for name, act in _TRIALS.items():
            with tempfile.TemporaryDirectory() as folder:
                trial = Trial(case, Path(folder), asked.seed)
                act(trial, asked.kills)
                returned, lost, twice = trial.count()

            print(f"| {case.name} | {name} | {returned} | {_share(lost, returned)} | {_share(twice, returned)} |")
            sys.stdout.flush()


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / max(whole, 1):.1f} %)" if part else "0"


def _versions() -> str:
    return ", ".join(f"{package} {metadata.version(package)}" for case in CASES for package in case.packages)


if __name__ == "__main__":
    main()
