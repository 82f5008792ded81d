"""Eight threads log at once, to a file that rolls and to a spool: `python3.13t free_threaded.py DIRECTORY`.

It prints whether the interpreter has a lock, and ends well where each record came once. On a Python without the lock
it also asserts that importing and using loghub did not bring it back. It needs httpx and zstandard; orjson has no
wheels for such Pythons, so where it is missing the standard library's `json` stands in for what is used of it here.
"""

import json
import logging
import sys
import threading
from collections import Counter
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

sys.path[:0] = map(str, Path(__file__).resolve().parents[1:3])

THREADS, EACH = 8, 2000


def main(folder: Path) -> None:
    """Log, and count."""
    is_free = not getattr(sys, "_is_gil_enabled", lambda: True)()
    stand_in()

    import loghub  # noqa: PLC0415 (what is tested)

    assert threading.active_count() == 1, "the import has begun a thread"
    file = loghub.JSONFileHandler(folder / "app.jsonl", rotate="100 KB")
    log_with(file)
    found = Counter((event.fields["who"], event.fields["n"]) for event in loghub.read(folder / "app.jsonl"))
    assert found == expected(), f"{found.total()} lines, {len(found)} of them different"
    assert len(list(folder.glob("app-*.jsonl"))) > 5, "it did not roll"

    from scripted_hub import scripted_hub  # noqa: PLC0415 (needs what may have to stand in)

    with scripted_hub() as hub:
        remote = loghub.RemoteHandler(hub.url, spool=str(folder / "spool"), compress="gzip")
        log_with(remote)
        assert remote.flush(60), remote.counters
        assert remote.counters.appended == remote.counters.acked == THREADS * EACH, remote.counters
        found = Counter((line["who"], line["n"]) for line in map(json.loads, hub.stored.values()))
        assert found == expected(), f"{found.total()} records at the hub, {len(found)} of them different"

    assert is_free == (not getattr(sys, "_is_gil_enabled", lambda: True)()), "something has brought the lock back"
    kind = "without" if is_free else "with"
    sys.stdout.write(f"{sys.version.split()[0]}, {kind} a global lock: each record once\n")


def log_with(handler: logging.Handler) -> None:
    """Log from all threads at once, and close the handler if it is a file."""
    log = logging.getLogger(f"shop.{type(handler).__name__}")
    log.propagate = False
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    began = threading.Barrier(THREADS)

    def run(who: int) -> None:
        began.wait()

        for number in range(EACH):
            log.info("order %d", number, extra={"who": who, "n": number})

    threads = [threading.Thread(target=run, args=(who,)) for who in range(THREADS)]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    if isinstance(handler, logging.FileHandler):
        handler.close()


def expected() -> dict[tuple[int, int], int]:
    """Give what was logged."""
    return {(who, number): 1 for who in range(THREADS) for number in range(EACH)}


def stand_in() -> None:
    """Where orjson is not installed, let the standard library do its work."""
    try:
        import orjson  # noqa: F401, PLC0415 (whether it is there)
    except ImportError:
        module: Any = module_from_spec(ModuleSpec("orjson", None))
        module.OPT_APPEND_NEWLINE, module.OPT_PASSTHROUGH_DATACLASS, module.OPT_PASSTHROUGH_DATETIME = 1024, 2048, 512
        module.loads, module.JSONDecodeError = json.loads, json.JSONDecodeError
        module.dumps = dumps
        sys.modules["orjson"] = module


def dumps(value: Any, default: Any = None, option: int | None = None) -> bytes:
    """Encode as `orjson.dumps` does, for the values that are logged here."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=default, allow_nan=False)
    return text.encode() + (b"\n" if (option or 0) & 1024 else b"")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
