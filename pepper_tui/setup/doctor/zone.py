"""Checks that the time zone is known."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pepper_tui.clock import ZONE_REMEDY, zone_trouble
from pepper_tui.connectors.finding import Finding, Patient


async def check(patient: Patient) -> AsyncIterator[Finding]:
    if "zone" not in patient.health and (trouble := zone_trouble(patient.config.user.zone)):
        yield Finding("zone", "trouble", trouble, ZONE_REMEDY)
