"""The time zone, and signals by the clock: whether each cron line can be read."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pepper_tui.clock import ZONE_MEND, zone_trouble
from pepper_tui.setup.doctor.finding import Finding, Patient


async def check(patient: Patient) -> AsyncIterator[Finding]:
    if "zone" not in patient.health and (trouble := zone_trouble(patient.config.user.zone)):
        yield Finding("zone", "trouble", trouble, ZONE_MEND)
    entries = patient.config.clock
    if not entries:
        return
    from pepper_tui.config.report import unreadable_cron

    wrong = unreadable_cron(entries)
    for number, words in wrong.items():
        part = f"clock {entries[number - 1].name}"
        yield Finding(part, "trouble", words, "mend cron of this [[clock]] in the config")
    if not wrong:
        yield Finding("clock", "ok", f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}")
