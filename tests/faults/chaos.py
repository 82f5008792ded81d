"""Chaos, measured: applications and a hub are killed under load, with a bad network in between; then it is counted.

    python tests/faults/chaos.py --app-kills 200 --hub-kills 100 --seed 1

Each application notes every logging call that has returned. At the end the network is calm, what is left is delivered,
and each of these records must be in the hub exactly once; no record at all may be there twice. A record whose call had
not returned when its process was killed may be there or not.

Without a spool (`--no-spool`) only the hub is killed: what waits in a killed process is lost, as its guarantee says.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from faults.chatty import echo
from faults.network import BadNetwork
from processes import HubProcess, wait_for

_APP = Path(__file__).with_name("chatty.py")
_THREADS = 2
_SETTLE = 45.0  # seconds without any news: who waits for a dead one's lock looks again after 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to happen.

    Attributes:
        app_kills: how often an application is killed.
        hub_kills: how often the hub is.
        seed: of all chance.
        apps: how many applications log at a time.
        spool: whether they have one.
    """

    app_kills: int
    hub_kills: int
    seed: int
    apps: int = 2
    spool: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found.

    Attributes:
        returned: records whose logging call had returned.
        stored: events in the hub, of these applications.
        missing: records that had returned and are not in the hub.
        doubled: records that are there more than once.
        altered: records that are not as they were sent.
        gaps: records that the hub's own ledger misses.
        fates: what the network did, how often.
        seconds: how long it took.
    """

    returned: int
    stored: int
    missing: Sequence[str]
    doubled: Sequence[str]
    altered: Sequence[str] = ()
    gaps: int = 0

    @property
    def is_good(self) -> bool:
        """Whether each record is there once, as it was sent, and nothing is said to be missing."""
        return not (self.missing or self.doubled or self.altered or self.gaps)

    fates: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def run(plan: Plan, folder: Path) -> Outcome:
    """Let it happen, and count."""
    began = time.monotonic()
    chance = random.Random(plan.seed)
    hub = HubProcess(folder / "hub").start()
    network = BadNetwork(hub.port, chance.getrandbits(32))
    killer = _HubKiller(hub, network, plan.hub_kills, chance.getrandbits(32))
    crew = _Crew(network.url, folder, plan, chance)

    try:
        killer.start()
        crew.be_killed(until=killer.done)
        killer.finish()
        network.calm()
        crew.end()
        return _count(hub, network, folder, time.monotonic() - began)
    finally:
        crew.kill_all()
        network.close()
        hub.stop(signal.SIGKILL)


class _HubKiller(threading.Thread):
    """Kills the hub: at any moment, or while a request is on its way into it."""

    def __init__(self, hub: HubProcess, network: BadNetwork, kills: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self._hub, self._network, self._kills = hub, network, kills
        self._chance = random.Random(seed)
        self._failure: BaseException | None = None

    def run(self) -> None:
        try:
            for number in range(self._kills):
                if number % 2:
                    self._wait_for_a_request()
                    time.sleep(self._chance.uniform(0, 0.006))
                else:
                    time.sleep(self._chance.uniform(0.05, 0.5))

                self._hub.stop(signal.SIGKILL)
                self._hub.start()
        except BaseException as error:  # noqa: BLE001 (told by finish)
            self._failure = error
        finally:
            self.done.set()

    def finish(self) -> None:
        """Wait for the last kill.

        Raises:
            BaseException: a hub did not come back.
        """
        self.join()

        if self._failure is not None:
            raise self._failure

    def _wait_for_a_request(self) -> None:
        forwarded = threading.Event()
        time.sleep(self._chance.uniform(0.05, 0.3))
        self._network.on_forwarded = forwarded.set
        forwarded.wait(5)
        self._network.on_forwarded = None


class _Crew:
    """The applications; one that was killed is followed by another."""

    def __init__(self, url: str, folder: Path, plan: Plan, chance: random.Random) -> None:
        self._url, self._folder, self._plan, self._chance = url, folder, plan, chance
        self._born = 0
        self._running: list[subprocess.Popen[bytes]] = [self._bear() for _ in range(plan.apps)]

    def be_killed(self, until: threading.Event) -> None:
        """Be killed as often as planned, and live at least until then."""
        for _ in range(self._plan.app_kills):
            time.sleep(self._chance.uniform(0.0, 0.35))
            place = self._chance.randrange(len(self._running))
            self._running[place].kill()
            self._running[place].wait()
            self._running[place] = self._bear()

        until.wait()

    def end(self) -> None:
        """End in order; the last one sends what the killed ones left."""
        for process in self._running:
            process.terminate()

        for process in self._running:
            process.wait(60)

        self._running = [self._bear(threads=0)] if self._plan.spool else []

    def kill_all(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    def _bear(self, threads: int = _THREADS) -> "subprocess.Popen[bytes]":
        self._born += 1
        name = f"app{self._born}"
        spool = str(self._folder / "spool") if self._plan.spool else ""
        side = str(self._folder / f"{name}.returned")
        command = [sys.executable, str(_APP), self._url, side, name, str(threads), spool]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.stdout.close()
        return process


def _count(hub: HubProcess, network: BadNetwork, folder: Path, seconds: float) -> Outcome:
    returned = {line for path in folder.glob("*.returned") for line in _whole_lines(path)}
    total, changed = -1, time.monotonic()

    while time.monotonic() < changed + _SETTLE:
        before, total = total, _total(hub)
        changed = changed if total == before else time.monotonic()

        if total >= len(returned) and not returned - set(_messages(hub)):
            break

        time.sleep(0.5)

    events = hub.events("logger:app*")
    stored = Counter(event["message"] for event in events)
    altered = sorted(event["message"] for event in events if event.get("echo", "") not in ("", echo(event["message"])))
    missing = sorted(returned - set(stored))
    doubled = sorted(message for message, times in stored.items() if times > 1)
    gaps = sum(gap["count"] for source in hub.get("sources")["sources"] for gap in source["gaps"])
    return Outcome(len(returned), stored.total(), missing, doubled, altered, gaps, network.fates, seconds)


def _whole_lines(path: Path) -> list[str]:
    """Read what returned; a line that a kill has torn is one of a call that had returned all the same."""
    text = path.read_text()
    return text[: text.rfind("\n") + 1].split()


def _messages(hub: HubProcess) -> "Counter[str]":
    return Counter(event["message"] for event in hub.events("logger:app*"))


def _total(hub: HubProcess) -> int:
    total = wait_for(lambda: hub.get("search", limit=1)["stats"])["total"]
    assert isinstance(total, int)
    return total


def main() -> None:
    """Run what the command line says and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--app-kills", type=int, default=200)
    parser.add_argument("--hub-kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--apps", type=int, default=2)
    parser.add_argument("--no-spool", action="store_true", help="kill the hub only; records wait in memory")
    asked = parser.parse_args()
    plan = Plan(
        app_kills=0 if asked.no_spool else asked.app_kills,
        hub_kills=asked.hub_kills,
        seed=asked.seed,
        apps=asked.apps,
        spool=not asked.no_spool,
    )

    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    outcome = run(plan, folder)

    if outcome.is_good:
        shutil.rmtree(folder)
    else:
        sys.stdout.write(f"what is left is in {folder}\n")

    sys.stdout.write(f"{plan}\n{outcome.seconds:.0f} s, of the requests were {dict(outcome.fates.most_common())}\n")
    sys.stdout.write(
        f"{outcome.returned} records whose call had returned: {len(outcome.missing)} missing in the hub,"
        f" {len(outcome.doubled)} there twice, {len(outcome.altered)} altered, {outcome.gaps} missed by its ledger;"
        f" {outcome.stored} stored in all\n"
    )
    sys.exit(not outcome.is_good)


if __name__ == "__main__":
    main()
