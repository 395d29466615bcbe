"""Checks that each mbox file can be read now, and that the account can send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from pepper_tui.config import Mail
from pepper_tui.connectors.finding import Finding, Patient, State, looked
from pepper_tui.connectors.local_mail import Holder, check_sending
from pepper_tui.connectors.mbox.mbox_file import LockedError, begins_at, opened
from pepper_tui.connectors.mbox.settings import MboxFiles, mbox_files_of


async def check(said: Mail | MboxFiles, patient: Patient) -> AsyncIterator[Finding]:
    settings, holder = mbox_files_of(said, patient.ident)
    for file in settings.paths:
        part = holder.part(file)
        yield await looked(part, file, _mbox, part, file, holder)
    async for finding in check_sending(settings, patient):
        yield finding


def _mbox(part: str, path: Path, holder: Holder) -> Finding:
    if not path.exists():
        state: State = "note" if path.parent.is_dir() else "trouble"
        remedy = f"it is watched for; if it is elsewhere, fix {holder.paths}"
        return Finding(part, state, f"{path} is not there", remedy)
    try:
        with opened(path) as file:
            if not begins_at(file, 0):
                where = "into an account of kind maildir" if holder.account else "under mail.maildir"
                return Finding(part, "trouble", f"{path} is not an mbox file", f"a Maildir goes {where}")
    except LockedError:
        remedy = f"if no mail program writes it, remove {path}.lock"
        return Finding(part, "note", f"{path} is locked by a mail program", remedy)
    except OSError as error:
        return Finding(part, "trouble", f"{path}: {error.strerror}", "make it a file that is readable for you")
    return Finding(part, "ok", f"{path}, {path.stat().st_size / 1e6:.1f} MB")
