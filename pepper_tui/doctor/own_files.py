"""Files of the user's own code that the config names: feeds and workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from pepper_tui.doctor.finding import Finding, Patient


async def check(patient: Patient) -> AsyncIterator[Finding]:
    own = [(f"feed {feed.name}", feed.file) for feed in patient.config.feed]
    own += [(f"worker {worker.name}", worker.file) for worker in patient.config.worker if worker.file]
    for part, file in own:
        yield await asyncio.to_thread(_own, part, file)


def _own(part: str, file: Path) -> Finding:
    if file.is_file():
        return Finding(part, "ok", str(file))
    return Finding(part, "trouble", f"{file} is not there", "put the file there, or take its table out of the config")
