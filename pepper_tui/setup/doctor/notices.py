"""Checks that the configured notifier for urgent items is available."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator

from pepper_tui.connectors.finding import Finding, Patient


async def check(patient: Patient) -> AsyncIterator[Finding]:
    ui = patient.config.ui
    if ui.notice == "desktop" and await asyncio.to_thread(shutil.which, "notify-send") is None:
        yield Finding("notices", "trouble", "notify-send is not there", "install libnotify, or another [ui] notice")
    elif ui.notice == "desktop":
        yield Finding("notices", "ok", "by notify-send; whether a notice daemon runs shows with the first one")
    elif ui.notice:
        yield Finding("notices", "note", f"by {ui.notice}: terminals don't tell whether they show it")
    elif ui.bell:
        yield Finding("notices", "ok", "by the bell, while the terminal is not in focus")
    else:
        yield Finding("notices", "note", "off", "[ui] bell = true, or notice")
