"""Checks that each mbox file can be read now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from pepper_tui.config import Mail
from pepper_tui.connectors.finding import Finding, Patient, State, looked
from pepper_tui.connectors.mbox.mbox_file import LockedError, begins_at, opened


async def check(settings: Mail, patient: Patient) -> AsyncIterator[Finding]:
    del patient
    for file in settings.mbox:
        yield await looked(f"mail {file.name}", file, _mbox, file)


def _mbox(path: Path) -> Finding:
    part = f"mail {path.name}"
    if not path.exists():
        state: State = "note" if path.parent.is_dir() else "trouble"
        return Finding(part, state, f"{path} is not there", "it is watched for; if it is elsewhere, fix mail.mbox")
    try:
        with opened(path) as file:
            if not begins_at(file, 0):
                return Finding(part, "trouble", f"{path} is not an mbox file", "a Maildir goes under mail.maildir")
    except LockedError:
        remedy = f"if no mail program writes it, remove {path}.lock"
        return Finding(part, "note", f"{path} is locked by a mail program", remedy)
    except OSError as error:
        return Finding(part, "trouble", f"{path}: {error.strerror}", "make it a file that is readable for you")
    return Finding(part, "ok", f"{path}, {path.stat().st_size / 1e6:.1f} MB")
