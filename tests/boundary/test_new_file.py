"""A new file is whole or not there, for its owner only, and never over or through what is there."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from pepper_tui.boundary.new_file import new_file


def test_it_is_whole_and_its_owners(tmp_path: Path) -> None:
    target = tmp_path / "new"
    with new_file(target) as file:
        file.write("words ü")
        assert not target.exists()
    assert target.read_text() == "words ü"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["new"]  # noqa: PTH208


@pytest.mark.parametrize("kind", ["file", "link", "link to nothing", "folder", "fifo"])
def test_what_is_there_stays(tmp_path: Path, kind: str) -> None:
    target, other = tmp_path / "new", tmp_path / "other"
    other.write_text("other")
    if kind == "folder":
        target.mkdir()
    elif kind == "fifo":
        os.mkfifo(target)
    elif kind == "file":
        target.write_text("mine")
    else:
        target.symlink_to(other if kind == "link" else tmp_path / "nothing")
    before = target.lstat()
    with pytest.raises(FileExistsError), new_file(target) as file:
        file.write("no")
    assert target.lstat().st_ino == before.st_ino
    assert other.read_text() == "other"
    assert not (tmp_path / "nothing").exists()


def test_what_is_made_meanwhile_stays(tmp_path: Path) -> None:
    target = tmp_path / "new"
    with pytest.raises(FileExistsError), new_file(target) as file:  # noqa: PT012
        file.write("no")
        target.write_text("mine")
    assert target.read_text() == "mine"
    assert os.listdir(tmp_path) == ["new"]  # noqa: PTH208


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), ValueError("x"), KeyboardInterrupt()]
)
def test_what_fails_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "new"
    with pytest.raises(type(error)) as raised, new_file(target) as file:  # noqa: PT012
        file.write("half")
        raise error
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    if isinstance(raised.value, OSError):
        assert raised.value.filename == str(target)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), new_file(tmp_path / "gone" / "new"):
        pass
