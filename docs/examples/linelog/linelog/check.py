"""What `pepper doctor` says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from linelog.settings import LineLog
from pepper_tui.connectors.finding import Finding, Patient, looked


async def check(settings: LineLog, patient: Patient) -> AsyncIterator[Finding]:
    """One finding: whether the file is there."""
    del patient
    yield await looked(f"log {settings.path.name}", settings.path, _file, settings)


def _file(settings: LineLog) -> Finding:
    part = f"log {settings.path.name}"
    if not settings.path.is_file():
        return Finding(part, "trouble", f"{settings.path} is not there", "fix path of the account")
    return Finding(part, "ok", f"{settings.path}, {settings.path.stat().st_size} bytes")
