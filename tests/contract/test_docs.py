"""Every YAML and Python block of the README and the documentation runs."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

import loghub

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^( *)```(yaml|python)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)

_VARIABLE = re.compile(r'"(?:env:)?((?:LOGHUB|XDG)_[A-Z_]+|NO_COLOR|FORCE_COLOR|LOCALAPPDATA)"')

CONFIGURE = """
import logging, sys, yaml, loghub
with open("logging.yaml") as file: config = yaml.safe_load(file)
config["version"] = 1
loghub.configure(config)
logging.getLogger("docs").warning("hello from %s", "the docs", extra={"order_id": 1})
logging.shutdown()
"""


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str
    configuration: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Give a page's blocks; a Python block may load the YAML block before it as logging.yaml."""
    text = page.read_text()
    found: list[Block] = []
    configuration = ""

    for match in _BLOCK.finditer(text):
        code = re.sub(rf"^{match[1]}", "", match[3], flags=re.MULTILINE)
        configuration = code if match[2] == "yaml" else configuration
        found.append(Block(page, text[: match.start()].count("\n") + 1, match[2], code, configuration))

    return found


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_block_runs_as_it_is_written(block: Block, tmp_path: Path) -> None:
    (tmp_path / "logging.yaml").write_text(_on_free_ports(block.configuration))
    code = CONFIGURE if block.language == "yaml" else block.text

    if block.language == "yaml":
        assert isinstance(yaml.safe_load(block.text), dict)

    environment = {**os.environ, "LOGHUB_REMOTE": "0"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "loghub: " not in done.stderr


def _on_free_ports(configuration: str) -> str:
    """Let the system choose the ports that a block listens on: tests run beside each other."""
    return re.sub(r'(serve: "[0-9.]+):[0-9]+"', r'\1:0"', configuration)


def test_there_are_blocks_to_run() -> None:
    assert {block.language for block in BLOCKS} == {"yaml", "python"}


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / ".mkdocs.yml").read_text()

    for page in (ROOT / "docs").rglob("*.md"):
        assert str(page.relative_to(ROOT / "docs")) in navigation


def test_each_variable_that_is_read_is_in_the_one_table() -> None:
    table = (ROOT / "docs" / "reference" / "environment.md").read_text().partition("\n## ")[0]
    sources = Path(loghub.__file__).parent.rglob("*.py")
    read = {name for source in sources for name in _VARIABLE.findall(source.read_text("utf-8"))}
    assert {"LOGHUB_URL", "LOGHUB_SPOOL", "NO_COLOR"} <= read
    assert [name for name in sorted(read) if f"`{name}`" not in table] == []


def test_readme_shows_what_it_is_how_to_begin_and_how_it_looks_at_once() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()

    assert lines[0].startswith("**loghub**")
    assert any("pip install" in line and "loghub demo" in line for line in lines[:10])
    assert any("loghub.RemoteHandler" in line for line in lines[:10])
    assert lines.index("root: {level: INFO, handlers: [file, hub]}") < 10
    assert any("docs/images/viewer.png" in line for line in lines[:25])
    assert (ROOT / "docs" / "images" / "viewer.png").is_file()
