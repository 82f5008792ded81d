"""What `import loghub` costs, beside `import logging` and the packages it stands next to.

Each import runs in a fresh interpreter, in turns; the figure is the median of the time within the process.
"""

import statistics
import subprocess
import sys

CASES = {
    "logging": "import logging",
    "loghub": "import loghub",
    "loghub.JSONFormatter": "import loghub; loghub.JSONFormatter",
    "loghub.JSONFileHandler": "import loghub; loghub.JSONFileHandler",
    "pythonjsonlogger.json": "import pythonjsonlogger.json",
    "httpx": "import httpx",
    "starlette.applications": "import starlette.applications",
}
ROUNDS = 15


def milliseconds(statement: str) -> float:
    code = f"import time; s = time.perf_counter(); {statement}; print((time.perf_counter() - s) * 1000)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in CASES}

    for _ in range(ROUNDS):
        for name, statement in CASES.items():
            times[name].append(milliseconds(statement))

    floor = statistics.median(times["logging"])
    print(f"Python {sys.version.split()[0]}, {ROUNDS} fresh interpreters each\n")
    print("| import | ms | × logging |\n|---|---|---|")

    for name, found in times.items():
        median = statistics.median(found)
        print(f"| `{name}` | {median:.1f} | {median / floor:.2f} |")


if __name__ == "__main__":
    main()
