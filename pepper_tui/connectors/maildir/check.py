"""Checks that each Maildir can be read, and that the account can send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from pepper_tui.config import Mail
from pepper_tui.connectors.finding import Finding, Patient, looked
from pepper_tui.connectors.local_mail import check_sending
from pepper_tui.connectors.maildir.settings import Maildirs, maildirs_of


async def check(said: Mail | Maildirs, patient: Patient) -> AsyncIterator[Finding]:
    settings, holder = maildirs_of(said, patient.ident)
    for maildir in settings.paths:
        part = holder.part(maildir)
        yield await looked(part, maildir, _maildir, part, maildir, holder.paths)
    async for finding in check_sending(settings, patient):
        yield finding


def _maildir(part: str, path: Path, key: str) -> Finding:
    if not path.is_dir():
        return Finding(part, "trouble", f"{path} is not there", f"set {key} to where your mail program syncs")
    if not (path / "new").is_dir() and not (path / "cur").is_dir():
        return Finding(part, "trouble", f"{path} has neither new/ nor cur/", "name the Maildir itself, not its parent")
    try:
        count = sum(len(list((path / each).iterdir())) for each in ("new", "cur") if (path / each).is_dir())
    except OSError as error:
        return Finding(part, "trouble", f"{path}: {error.strerror}", "make it readable for you")
    return Finding(part, "ok", f"{path}, {count} {'mail' if count == 1 else 'mails'}")
