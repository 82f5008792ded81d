import os
import re
import subprocess
import sys

import pytest

WITHOUT_CLICK = "import sys; sys.modules['click'] = None; from loghub.cli import main; main()"
LOADED = "import sys, loghub.cli; print(sorted({'click', 'rich', 'yaml', 'uvicorn', 'duckdb'} & set(sys.modules)))"


def loghub(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return run("-m", "loghub.cli", *arguments, **environment)


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def test_without_click_the_missing_extra_is_named_in_one_line() -> None:
    done = run("-c", WITHOUT_CLICK)

    assert done.returncode == 2
    assert done.stderr == "loghub: the loghub command needs the 'cli' extra: pip install 'loghub[cli]'\n"
    assert done.stdout == ""


def test_importing_the_command_loads_no_third_party_module() -> None:
    assert run("-c", LOADED).stdout.strip() == "[]"


def test_help_names_each_command_and_what_it_does() -> None:
    done = loghub("--help")

    assert done.returncode == 0
    assert re.search(r"serve +Start a hub", done.stdout)
    assert re.search(r"demo +Show a shop", done.stdout)


def test_version_is_printed_with_the_name() -> None:
    done = loghub("--version")

    assert done.returncode == 0
    assert done.stdout.startswith("loghub ")


@pytest.mark.parametrize("arguments", [("fly",), ("serve", "--fly"), ("serve", "--port", "70000"), ("demo", "extra")])
def test_what_click_refuses_ends_with_status_2(arguments: tuple[str, ...]) -> None:
    done = loghub(*arguments)

    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr
