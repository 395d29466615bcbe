"""The lock of a home: a link in its place is refused, and what it leads to stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.store import HomeLock


def test_a_link_in_the_place_of_the_lock_harms_nothing(tmp_path: Path) -> None:
    target = tmp_path / "diary.txt"
    target.write_text("dear diary")
    home = tmp_path / "home"
    home.mkdir()
    (home / "lock").symlink_to(target)
    with pytest.raises(OSError, match="lock"):
        HomeLock(home).acquire()
    assert target.read_text() == "dear diary"
