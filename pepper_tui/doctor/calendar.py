"""The calendar: each file and folder of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

from pepper_tui.doctor.finding import Finding, Patient, looked


async def check(patient: Patient) -> AsyncIterator[Finding]:
    for path in patient.config.calendar.paths:
        yield await looked(f"calendar {path.name}", path, _calendar, path)


def _calendar(path: Path) -> Finding:
    part = f"calendar {path.name}"
    if not path.exists():
        return Finding(part, "trouble", f"{path} is not there", "set calendar.paths to a .ics file or a folder of them")
    from icalendar import Calendar

    files = sorted(path.rglob("*.ics")) if path.is_dir() else [path]
    events = 0
    for file in files:
        try:
            events += len(Calendar.from_ical(file.read_bytes()).walk("VEVENT"))
        except (OSError, ValueError, IndexError) as error:
            return Finding(part, "trouble", f"{file}: {error}", "export that calendar again")
    words = f"{path}, {len(files)} files, {events} events"
    if not os.access(path if path.is_dir() else path.parent, os.W_OK):
        return Finding(part, "note", f"{words}; nothing can be added", f"make {path.parent} writable, if that is meant")
    return Finding(part, "ok", words)
