"""The architecture as it is written in pyproject.toml, checked on the source of this tree."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_imports_go_only_down() -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], check=False, cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_handlers_import_no_extra_at_module_top() -> None:
    code = (
        "import sys, loghub.handlers.console, loghub.handlers.json_file, loghub.handlers.remote, "
        "loghub.handlers.broadcast, loghub.metrics, loghub.config, loghub.middleware.asgi, loghub.middleware.outbound, "
        "loghub.middleware.wsgi, loghub.middleware.celery, loghub.filters\n"
        "extras = {'httpx', 'starlette', 'uvicorn', 'websockets', 'prometheus_client', 'duckdb', 'msgspec', 're2',"
        " 'click', 'yaml', 'rich'}\n"
        "print(sorted(extras & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "[]"
