"""Checks that each Maildir can be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from pepper_tui.config import Mail
from pepper_tui.connectors.finding import Finding, Patient, looked


async def check(settings: Mail, patient: Patient) -> AsyncIterator[Finding]:
    del patient
    for maildir in settings.maildir:
        yield await looked(f"mail {maildir.name}", maildir, _maildir, maildir)


def _maildir(path: Path) -> Finding:
    part = f"mail {path.name}"
    if not path.is_dir():
        return Finding(part, "trouble", f"{path} is not there", "set mail.maildir to where your mail program syncs")
    if not (path / "new").is_dir() and not (path / "cur").is_dir():
        return Finding(part, "trouble", f"{path} has neither new/ nor cur/", "name the Maildir itself, not its parent")
    try:
        count = sum(len(list((path / each).iterdir())) for each in ("new", "cur") if (path / each).is_dir())
    except OSError as error:
        return Finding(part, "trouble", f"{path}: {error.strerror}", "make it readable for you")
    return Finding(part, "ok", f"{path}, {count} {'mail' if count == 1 else 'mails'}")
