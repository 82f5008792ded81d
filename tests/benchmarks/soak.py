"""Ten million lines through a small rotation size: memory and descriptors stay flat. Draws both.

    python tests/benchmarks/soak.py [--lines 10000000] [--plot docs/images/soak.svg]

The process writes to one file that is rolled over every megabyte, compressed, and kept up to 20 segments. After each
hundredth of the lines it notes its resident memory and its open descriptors.
"""

import argparse
import gc
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import loghub
from loghub.segments import segments

SAMPLES = 100
EXTRA = {"order_id": 12345, "sku": "A-778", "amount": 19.99, "cached": False, "user": "u-4711"}
WIDTH, HEIGHT, LEFT, GAP, TOP = 640, 130, 60, 50, 30
PAGE = os.sysconf("SC_PAGE_SIZE")

Sample = tuple[int, float, int]
"""Lines so far, megabytes, descriptors."""


def soak(path: Path, lines: int) -> list[Sample]:
    handler = loghub.JSONFileHandler(path, rotate="1 MB", compress="gz", keep_files=20)
    handler.setFormatter(loghub.JSONFormatter())
    logger = logging.getLogger("soak")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    found: list[Sample] = []
    step = max(lines // SAMPLES, 1)

    for number in range(1, lines + 1):
        logger.info("order %d", number, extra=EXTRA)

        if number % step == 0:
            gc.collect()
            found.append((number, resident(), descriptors()))

    handler.close()
    assert handler.lost == 0
    return found


def resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def panel(title: str, unit: str, samples: list[tuple[int, float]], top: int) -> list[str]:
    """Draw one curve over the number of lines, from 0 up."""
    most_x, most_y = samples[-1][0], max(value for _, value in samples) * 1.25
    points = " ".join(
        f"{LEFT + number / most_x * WIDTH:.0f},{top + HEIGHT - value / most_y * HEIGHT:.0f}"
        for number, value in samples
    )
    last = samples[-1][1]
    return [
        f'<text x="{LEFT}" y="{top - 8}">{title}</text>',
        f'<path d="M{LEFT},{top} V{top + HEIGHT} H{LEFT + WIDTH}" fill="none" stroke="#888"/>',
        f'<polyline points="{points}" fill="none" stroke="#2a7ab0" stroke-width="2"/>',
        f'<text x="{LEFT - 6}" y="{top + HEIGHT}" text-anchor="end">0</text>',
        f'<text x="{LEFT - 6}" y="{top + HEIGHT - last / most_y * HEIGHT + 4:.0f}" text-anchor="end">{last:.0f}</text>',
        f'<text x="{LEFT - 6}" y="{top + 4}" text-anchor="end" fill="#888">{unit}</text>',
        f'<text x="{LEFT}" y="{top + HEIGHT + 16}">0</text>',
        f'<text x="{LEFT + WIDTH}" y="{top + HEIGHT + 16}" text-anchor="end">{most_x:,} lines</text>',
    ]


def plot(samples: list[Sample]) -> str:
    height = TOP + 2 * HEIGHT + GAP + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 20} {height}" role="img">',
        '<g font-family="sans-serif" font-size="12" fill="#444">',
        "<title>Memory and descriptors over the lines written</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        *panel("Resident memory", "MB", [(number, memory) for number, memory, _ in samples], TOP),
        *panel("Open descriptors", "", [(number, float(count)) for number, _, count in samples], TOP + HEIGHT + GAP),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--plot", type=Path, help="Write an SVG here.")
    options = parser.parse_args()
    began = time.perf_counter()

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        samples = soak(Path(folder) / "app.jsonl", options.lines)
        kept = len(segments(Path(folder) / "app.jsonl"))

    taken = time.perf_counter() - began
    tenth = samples[len(samples) // 10 :]  # after the first tenth everything is loaded and warm
    memory, counts = [one[1] for one in tenth], [one[2] for one in tenth]
    print(f"CPython {sys.version.split()[0]}; {options.lines:,} lines in {taken:.0f} s, {kept} segments kept.")
    print(f"Resident memory after the first tenth: {memory[0]:.1f} MB, at the end {memory[-1]:.1f} MB,", end=" ")
    print(f"{max(memory):.1f} MB at most. Descriptors: {min(counts)} to {max(counts)}.")

    if options.plot:
        options.plot.write_text(plot(samples))


if __name__ == "__main__":
    main()
