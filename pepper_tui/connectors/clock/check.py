"""Checks that each cron line of the clock's rules can be read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from pepper_tui.config import ClockEntry
from pepper_tui.connectors.finding import Finding, Patient


async def check(settings: Sequence[ClockEntry], patient: Patient) -> AsyncIterator[Finding]:
    del patient
    if not settings:
        return
    from pepper_tui.config.report import unreadable_cron

    wrong = unreadable_cron(settings)
    for number, words in wrong.items():
        part = f"clock {settings[number - 1].name}"
        yield Finding(part, "trouble", words, "fix cron of this [[clock]] in the config")
    if not wrong:
        yield Finding("clock", "ok", f"{len(settings)} {'entry' if len(settings) == 1 else 'entries'}")
