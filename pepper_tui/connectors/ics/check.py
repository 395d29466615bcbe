"""Checks the calendar: each file and folder, with the reader that answers use."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from pepper_tui.clock import NoAnswerError, SystemClock, local_zone
from pepper_tui.config import Calendar
from pepper_tui.connectors.finding import Finding, Patient, looked, unanswered
from pepper_tui.domains.calendar.agenda import Agenda

_NAMED: Final = 3  # how many unreadable items are named


async def check(settings: Calendar, patient: Patient) -> AsyncIterator[Finding]:
    now = SystemClock().now()
    for path in settings.paths:
        part = f"calendar {path.name}"
        found = await looked(part, path, _file, path)
        if found.state == "trouble":
            yield found
            continue
        agenda = Agenda([path], local_zone(patient.config.user.zone))
        try:
            events = await agenda.events()
            await agenda.between(now, now + settings.horizon_days * 86400)
        except NoAnswerError:
            yield unanswered(part, path)
            continue
        words = f"{path}, {found.detail}, {len(events)} events"
        if defects := agenda.defects:
            more = f"; and {len(defects) - _NAMED} more" if len(defects) > _NAMED else ""
            words = f"{words}; {'; '.join(defects[:_NAMED])}{more}"
            yield Finding(part, "trouble", words, "export that calendar again, or ask its author to fix it")
        elif found.state == "note":
            yield Finding(part, "note", f"{words}; nothing can be added", found.remedy)
        else:
            yield Finding(part, "ok", words)


def _file(path: Path) -> Finding:
    part = f"calendar {path.name}"
    if not path.exists():
        return Finding(part, "trouble", f"{path} is not there", "set calendar.paths to a .ics file or a folder of them")
    words = f"{len(list(path.rglob('*.ics'))) if path.is_dir() else 1} files"
    if not os.access(path if path.is_dir() else path.parent, os.W_OK):
        return Finding(part, "note", words, f"make {path.parent} writable, if that is meant")
    return Finding(part, "ok", words)
