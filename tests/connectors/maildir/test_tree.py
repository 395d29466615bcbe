"""Which folders of a Maildir are looked at: at any depth, linked ones once, and never out of the tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.connectors.maildir import tree
from pepper_tui.connectors.maildir.changing import folders
from pepper_tui.connectors.maildir.feed import list_maildir
from tests.domains.mail.mails import deliver, mail, make_maildir


def labels(root: Path) -> list[str]:
    return sorted(found.label for found in list_maildir(root))


def test_a_folder_at_any_depth_is_seen(tmp_path: Path) -> None:
    root = make_maildir(tmp_path / "m")
    deep = root.joinpath(*(f"p{level}" for level in range(9)))
    deliver(make_maildir(deep), mail(), "a")
    name = "/".join(f"p{level}" for level in range(9))
    assert labels(root) == [name]
    assert folders(root) == {"INBOX": root, name: deep}


def test_a_linked_folder_is_seen_once_and_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    root, apart = make_maildir(tmp_path / "m"), make_maildir(tmp_path / "apart")
    deliver(apart, mail(number=1), "a")
    deliver(make_maildir(apart / "below"), mail(number=2), "b")
    deliver(make_maildir(root / "own"), mail(number=3), "c")
    (root / "work").symlink_to(apart)
    (root / "again").symlink_to(apart)
    (root / "same").symlink_to(root / "own")
    (root / "round").symlink_to(root)
    (root / "out").symlink_to("/")
    (root / "lost").symlink_to(tmp_path / "nowhere")
    assert labels(root) == ["again", "own"]


def test_a_root_that_holds_everything_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_FOLDERS", 3)
    root = make_maildir(tmp_path / "m")
    for name in "ab":
        make_maildir(root / name)
    assert len(folders(root)) == 3
    make_maildir(root / "c")
    with pytest.raises(OSError, match="is this a Maildir"):
        list_maildir(root)
