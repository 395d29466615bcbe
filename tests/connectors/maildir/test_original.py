"""The bytes of a mail in a Maildir, to send it on: wherever its file was moved to meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.clock import Looks, SystemClock
from pepper_tui.connectors.local_mail import MAILDIRS
from pepper_tui.connectors.maildir.original import original
from pepper_tui.domains.mail.content.mime import parse_mail
from pepper_tui.domains.mail.writing.originals import carried_over
from pepper_tui.model import Json
from pepper_tui.tools import ToolError

SOURCE = b"From: bob@x.org\r\nSubject: Plan\r\n\r\ntext\r\n"


def known(root: Path, path: Path) -> Json:
    """A mail as the feed has taken it in."""
    for each in ("new", "cur", ".Old/new", ".Old/cur"):
        (root / each).mkdir(parents=True, exist_ok=True)
    path.write_bytes(SOURCE)
    place = {"path": str(path), "files": [[str(root), path.name.split(":2,")[0]]], "account": "", "id": "m1"}
    return {**parse_mail(SOURCE).data(), **place}


@pytest.mark.parametrize("to", ["new/1.a", "cur/1.a:2,S", ".Old/cur/1.a:2,RS"])
async def test_it_is_found_where_it_was_moved_to(tmp_path: Path, to: str) -> None:
    mail = known(tmp_path, tmp_path / "new" / "1.a")
    (tmp_path / "new" / "1.a").rename(tmp_path / to)
    assert await original(Looks(SystemClock()), MAILDIRS, mail) == SOURCE


@pytest.mark.parametrize(
    "changed", [{"account": "work"}, {"path": "/var/mail/alex"}, {"files": []}, {"files": [["/not/there", "1.b"]]}]
)
async def test_another_place_has_nothing(tmp_path: Path, changed: Json) -> None:
    mail = known(tmp_path, tmp_path / "new" / "1.a")
    (tmp_path / "new" / "1.a").unlink()
    assert await original(Looks(SystemClock()), MAILDIRS, {**mail, **changed}) is None


async def test_another_mail_in_its_place_is_not_taken_for_it(tmp_path: Path) -> None:
    mail = known(tmp_path, tmp_path / "new" / "1.a")
    (tmp_path / "new" / "1.a").write_bytes(SOURCE.replace(b"text", b"else"))

    async def place(of: Json) -> bytes | None:
        return await original(Looks(SystemClock()), MAILDIRS, of)

    with pytest.raises(ToolError, match="no longer the mail"):
        await carried_over([(mail, -1)], [place])
    (tmp_path / "new" / "1.a").write_bytes(SOURCE)
    [(file, data)] = await carried_over([(mail, -1)], [place])
    assert (file.name, data) == ("Plan.eml", SOURCE)
