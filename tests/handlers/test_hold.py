import fcntl
import os
from pathlib import Path

import pytest

from loghub.handlers.hold import NoLocksError, alone, let_go, share


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a file of one line."""
    path = tmp_path / "segment"
    path.write_text("line\n")
    return path


def is_free(path: Path) -> bool:
    with alone(path) as descriptor:
        return descriptor is not None


def test_file_is_free_again_when_its_last_writer_lets_go(file: Path) -> None:
    first, second = os.open(file, os.O_RDWR), os.open(file, os.O_RDWR)
    assert share(first)
    assert share(second)

    os.close(first)
    assert not is_free(file)
    os.close(second)
    assert is_free(file)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # threads of other tests
def test_child_of_a_fork_holds_what_it_has_inherited(file: Path) -> None:
    writer = os.open(file, os.O_RDWR)
    assert share(writer)
    wait, ring = os.pipe()
    child = os.fork()

    if child == 0:
        os.read(wait, 1)
        os._exit(0)

    os.close(writer)
    assert not is_free(file)
    os.write(ring, b"!")
    os.waitpid(child, 0)
    assert is_free(file)
    os.close(wait)
    os.close(ring)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # threads of other tests
def test_child_of_a_fork_does_not_keep_what_its_parent_had_alone(file: Path) -> None:
    wait, ring = os.pipe()
    ready, tell = os.pipe()

    with alone(file) as descriptor:
        assert descriptor is not None
        child = os.fork()

        if child == 0:
            os.write(tell, b"!")
            os.read(wait, 1)
            os._exit(0)

        os.read(ready, 1)
        os.close(descriptor)  # as a parent that is killed: no unlocking

    assert is_free(file)
    os.write(ring, b"!")
    os.waitpid(child, 0)

    for end in (wait, ring, ready, tell):
        os.close(end)


def test_writer_is_refused_a_share_of_what_somebody_has_alone(file: Path) -> None:
    writer = os.open(file, os.O_RDWR)

    with alone(file) as descriptor:
        assert descriptor is not None
        assert not share(writer)
        let_go(descriptor)
        assert share(writer)

    os.close(writer)


def test_file_that_lost_its_name_meanwhile_is_not_given(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        real(descriptor, operation)
        file.rename(file.with_name("elsewhere"))
        file.write_text("another\n")
        monkeypatch.undo()

    monkeypatch.setattr(fcntl, "flock", flock)

    assert not is_free(file)


def test_link_is_not_followed(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)

    with pytest.raises(OSError, match="symbolic"), alone(link):
        pass


def test_file_system_without_locks_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    writer = os.open(file, os.O_RDWR)
    assert share(writer)
    os.close(writer)

    with pytest.raises(NoLocksError, match="no locks"), alone(file):
        pass
