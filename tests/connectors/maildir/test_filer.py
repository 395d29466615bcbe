"""Filing in a Maildir: flags and folders by name, beside other programs that change the same files."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import SystemClock
from pepper_tui.connectors.local_mail import MAILDIRS
from pepper_tui.connectors.maildir import changing
from pepper_tui.connectors.maildir.filer import GONE, SEVERAL, MaildirFiler
from pepper_tui.connectors.maildir.settings import Maildirs
from pepper_tui.domains.mail.at_source.filing import INVERSE, Filing, FilingAct
from pepper_tui.tools.errors import NotDoneError
from tests.domains.mail.mails import make_maildir

FLAGS: dict[FilingAct, str] = {"read": "S", "flag": "F", "answered": "R"}
MOVES: dict[FilingAct, str] = {"archive": "Archive", "trash": "Papierkorb", "junk": "Spam", "move": "Lists.Work"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_maildir(tmp_path / "m")
    for folder in MOVES.values():
        make_maildir(root / f".{folder}")
    return root


def filer(root: Path, **more: Any) -> MaildirFiler:
    return MaildirFiler(Maildirs.model_validate({"paths": [root], **more}), SystemClock(), MAILDIRS)


def put(root: Path, name: str, content: str = "x") -> str:
    """A file in ``root``; the place of its mail."""
    (root / name).write_text(content)
    return f"{root}/{name.partition('/')[2].partition(':2,')[0]}"


def files(root: Path) -> list[str]:
    found = [path for path in root.rglob("*") if path.is_file()]
    return sorted(path.relative_to(root).as_posix() for path in found)


@pytest.mark.parametrize("act", FLAGS)
@pytest.mark.parametrize("name", ["new/1.host", "cur/1.host:2,", "cur/1.host:2,T"])
async def test_a_flag_is_set_once_and_taken_back(root: Path, act: FilingAct, name: str) -> None:
    work, place = filer(root), put(root, name)
    assert await work.is_done(Filing(act), [place]) is False
    filed = (await work.file(Filing(act), [place]))[place]
    flags = "".join(sorted(name.partition(":2,")[2] + FLAGS[act]))
    assert (filed.place, files(root)) == (place, [f"cur/1.host:2,{flags}"])
    assert await work.is_done(Filing(act), [place]) is True
    assert (await work.file(Filing(act), [place]))[place].undo is None
    if act in INVERSE:
        assert filed.undo == Filing(INVERSE[act])
        await work.file(filed.undo, [place])
        assert files(root) == [f"cur/1.host:2,{name.partition(':2,')[2]}"]


@pytest.mark.parametrize("act", MOVES)
@pytest.mark.parametrize("hint", ["", "INBOX/"])
async def test_a_mail_is_moved_with_its_flags_and_moved_back(root: Path, act: FilingAct, hint: str) -> None:
    put(root, "cur/1.host,U=7,S=1:2,FS")
    put(root, "cur/2.host:2,")
    given = Filing(act, MOVES[act] if act == "move" else "")
    work, place = filer(root), f"{root}/{hint}1.host,U=7,S=1"
    assert await work.is_done(given, [place]) is False
    filed = (await work.file(given, [place]))[place]
    assert files(root) == [f".{MOVES[act]}/cur/1.host,S=1:2,FS", "cur/2.host:2,"]
    assert filed.place == f"{root}/{MOVES[act] + '/' if hint else ''}1.host,S=1"
    assert filed.copy is not None
    assert (filed.copy.folder, filed.copy.marks) == (MOVES[act], ["flagged", "seen"])
    assert await work.is_done(given, [place]) is True
    assert (await work.file(given, [place]))[place].trouble == GONE
    assert filed.undo == Filing("move", "INBOX")
    await work.file(filed.undo, [filed.place])
    assert files(root) == ["cur/1.host,S=1:2,FS", "cur/2.host:2,"]


@pytest.mark.parametrize("links", [True, False])
async def test_no_mail_is_written_over(root: Path, links: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not links:

        def none(*_: object, **__: object) -> None:
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", none)
    place = put(root, "cur/1.host:2,S", "mine")
    put(root, ".Archive/cur/1.host:2,S", "another")
    filed = (await filer(root).file(Filing("archive"), [f"{root}/INBOX/1.host"]))[f"{root}/INBOX/1.host"]
    assert {(root / name).read_text() for name in files(root)} == {"mine", "another"}
    assert filed.place == f"{root}/Archive/1.host_1"
    assert (await filer(root).file(Filing("read"), [place]))[place].trouble == ""


async def test_what_lies_in_two_folders_is_not_guessed_at(root: Path) -> None:
    place = put(root, "cur/1.host:2,S")
    put(root, ".Archive/cur/1.host:2,S")
    assert (await filer(root).file(Filing("trash"), [place]))[place].trouble == SEVERAL
    assert len(files(root)) == 2


@pytest.mark.parametrize("act", ["read", "archive"])
async def test_a_file_that_another_program_renames_meanwhile_is_found_again(
    root: Path, act: FilingAct, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, found = put(root, "new/1.host"), changing.found

    def renamed(*given: Any) -> Any:
        before = found(*given)
        monkeypatch.setattr(changing, "found", found)
        (root / "new" / "1.host").rename(root / "cur" / "1.host:2,F")
        return before

    monkeypatch.setattr(changing, "found", renamed)
    assert (await filer(root).file(Filing(act), [place]))[place].trouble == ""
    assert files(root) == (["cur/1.host:2,FS"] if act == "read" else [".Archive/cur/1.host:2,F"])


@pytest.mark.parametrize("act", ["read", "archive"])
async def test_a_file_that_is_removed_meanwhile_stays_so(root: Path, act: FilingAct) -> None:
    gone, place = f"{root}/9.host", put(root, "cur/1.host:2,")
    filed = await filer(root).file(Filing(act), [gone, place, "elsewhere/1.host"])
    assert [filed[each].trouble for each in (gone, place)] == [GONE, ""]
    assert "in none of the Maildirs" in filed["elsewhere/1.host"].trouble
    assert len(files(root)) == 1


@pytest.mark.parametrize(
    ("act", "more", "words"),
    [("trash", {}, "name one in mail.trash"), ("junk", {"junk": "No"}, "mail.junk"), ("move", {}, "no folder 'X'")],
)
async def test_where_there_is_no_such_folder_it_says_which_key_to_set(
    root: Path, act: FilingAct, more: dict[str, str], words: str
) -> None:
    (root / ".Papierkorb").rename(root / ".Sachen")
    place = put(root, "cur/1.host:2,")
    with pytest.raises(NotDoneError, match=words):
        await filer(root, **more).file(Filing(act, "X"), [place])
    assert files(root) == ["cur/1.host:2,"]
    assert (await filer(root, trash="Sachen").file(Filing("trash"), [place]))[place].trouble == ""


async def test_two_acts_at_once_leave_each_mail_in_one_place(root: Path) -> None:
    there = [put(root, f"cur/{number}.host:2,") for number in range(20)]
    one, two = filer(root), filer(root)
    await asyncio.gather(one.file(Filing("archive"), there), two.file(Filing("trash"), there))
    names = [Path(name).name.partition(":2,")[0] for name in files(root)]
    assert sorted(names) == sorted(f"{number}.host" for number in range(20))
