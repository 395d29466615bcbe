"""A person's home folder with mail and calendars as other programs leave them."""

from __future__ import annotations

from pathlib import Path


def maildir(path: Path, mails: int = 0) -> Path:
    for part in ("cur", "new", "tmp"):
        (path / part).mkdir(parents=True)
    for number in range(mails):
        (path / "cur" / f"{number}:2,S").write_text("Subject: x\n\n")
    return path


def calendar(path: Path, files: int = 1) -> Path:
    path.mkdir(parents=True)
    for number in range(files):
        (path / f"{number}.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    return path


def furnished(home: Path) -> Path:
    """Two accounts, one of them where only mbsync knows; a calendar; a name in Git's config."""
    maildir(home / "Mail" / "work" / "INBOX", 3)
    maildir(home / "Mail" / "work" / "Sent", 9)
    maildir(home / "fetched" / "INBOX", 1)
    (home / ".mbsyncrc").write_text("MaildirStore x\nPath ~/fetched/\nInbox ~/fetched/INBOX\n")
    calendar(home / ".calendars" / "personal", 2)
    who = '[user]\n\tname = Alex "R" Rivera\n\temail = alex@example.com\n'
    (home / ".gitconfig").write_text(f"[core]\n\teditor = vi\n{who}")
    return home
