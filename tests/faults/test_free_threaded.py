"""Many threads log at once: with this Python, and with each on PATH that has no global lock."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("free_threaded.py")
FREE = [found for name in ("python3.13t", "python3.14t", "python3.15t") if (found := shutil.which(name)) is not None]


@pytest.mark.parametrize("python", [sys.executable, *FREE])
def test_threads_log_at_once_and_each_record_comes_once(tmp_path: Path, python: str) -> None:
    done = subprocess.run([python, SCRIPT, tmp_path], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "each record once" in done.stdout
