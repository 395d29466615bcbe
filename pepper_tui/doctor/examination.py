"""The order in which the doctor looks at a home. A check of its own noun is added to ``CHECKS``.

A check that fails is itself a finding: no fault of one part hides another.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from pepper_tui.config import DATABASE, Secrets
from pepper_tui.doctor import calendar, clock, files, home, mail, mcp, models, notices, own_files, programs, search
from pepper_tui.doctor.finding import Check, Finding, Patient
from pepper_tui.doctor.terminal import examine_terminal

CHECKS: Final[tuple[Check, ...]] = (
    mail.check,
    calendar.check,
    clock.check,
    files.check,
    models.check,
    mcp.check,
    search.check,
    own_files.check,
    programs.check,
    notices.check,
)
"""What the config names, a noun each, in the order shown."""


async def examine(place: Path) -> AsyncIterator[Finding]:
    """The findings on the home at ``place``, each as soon as it is known."""
    yield home.python()
    for finding in await asyncio.to_thread(examine_terminal, os.environ):
        yield finding
    if not await asyncio.to_thread(place.is_dir):
        yield Finding("home", "trouble", f"{place} is not there", "pepper init; or try: pepper --demo")
        return
    for finding in await asyncio.to_thread(home.folder, place):
        yield finding
    config, findings = await asyncio.to_thread(home.config, place)
    for finding in findings:
        yield finding
    health: dict[str, Finding] = {}
    async for finding in home.engine(place):
        health[finding.part] = finding
        yield finding
    yield await asyncio.to_thread(home.store, place / DATABASE)
    if config is None:
        return
    patient = Patient(place, config, Secrets(place), health)
    for check in CHECKS:
        try:
            async for finding in check(patient):
                yield finding
        except Exception as error:  # the doctor goes on to the next part
            part = check.__module__.rpartition(".")[2]
            yield Finding(part, "trouble", f"could not be looked at: {error or type(error).__name__}", "report this")
