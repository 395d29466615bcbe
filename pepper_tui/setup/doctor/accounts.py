"""The accounts: each connector that the config names looks at its own. See ``connectors.registry``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pepper_tui.config import ConfigError
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.connectors.registry import Named, named


async def check(patient: Patient) -> AsyncIterator[Finding]:
    try:
        found = await asyncio.to_thread(lambda: list(named(patient.config, patient.home)))
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("account", "trouble", problem, "see docs/connectors.md, or ask who made the connector")
        return
    for one in found:
        async for finding in _of(one, patient):
            yield finding


async def _of(one: Named, patient: Patient) -> AsyncIterator[Finding]:
    """What one connector finds; that it fails hides no other."""
    if one.connector.check is None:
        return
    try:
        async for finding in one.connector.check(one.settings, patient):
            yield finding
    except Exception as error:
        yield Finding(one.ident, "trouble", f"could not be looked at: {error or type(error).__name__}", "report this")
