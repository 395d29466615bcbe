"""The order in which the doctor examines a home. Add a check for a new noun to ``CHECKS``.

A check that fails is itself a finding: a fault in one part never hides another.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from pepper_tui.config import DATABASE, ConfigError, Secrets
from pepper_tui.connectors import finding as limits
from pepper_tui.connectors.finding import Check, Finding, Patient, unanswered
from pepper_tui.connectors.registry import Named, named
from pepper_tui.feeds.paused import resume_words
from pepper_tui.model import part_name
from pepper_tui.setup.doctor import files, home, models, notices, own_files, search, zone
from pepper_tui.setup.doctor.terminal import examine_terminal

STORE_LONGEST: Final = 60.0
"""Seconds for reading the whole store, however large."""
CHECK_LONGEST: Final = 30.0
"""Seconds for one finding of any check; a tool server takes the longest."""
CHECKS: Final[tuple[Check, ...]] = (
    zone.check,
    files.check,
    models.check,
    search.check,
    own_files.check,
    notices.check,
)
"""Checks of what the config names, one per noun, in display order; the accounts come after the first."""


async def examine(place: Path) -> AsyncIterator[Finding]:
    """Yield the findings on the home at ``place``, each as soon as it is known."""
    yield home.python()
    for finding in await asyncio.to_thread(examine_terminal, os.environ):
        yield finding
    try:
        async with asyncio.timeout(limits.LONGEST):
            there = await asyncio.to_thread(place.is_dir)
            found = await asyncio.to_thread(home.folder, place) if there else []
            config, more = await asyncio.to_thread(home.config, place)
    except TimeoutError:
        yield unanswered("home", place)
        return
    if not there:
        yield Finding("home", "trouble", f"{place} is not there", "pepper init; or try: pepper --demo")
        return
    told = {finding.detail for finding in found if finding.state == "trouble"}
    for finding in [*found, *more]:
        yield finding
    health: dict[str, Finding] = {}
    async for finding in _bounded("engine", home.engine(place)):
        health[finding.part] = finding
        yield replace(finding, part=part_name(finding.part))
    try:
        async with asyncio.timeout(STORE_LONGEST):
            store = await asyncio.to_thread(home.store, place / DATABASE)
    except TimeoutError:
        words = f"it could not be read to its end within {STORE_LONGEST:g} s"
        store = Finding("store", "note", words, "try again when less is going on")
    yield store
    if config is None:
        return
    patient = Patient(place, config, Secrets(place), health)
    first, *rest = [(check.__module__.rpartition(".")[2], check) for check in CHECKS]
    try:
        accounts = await asyncio.to_thread(lambda: [*_of_accounts(patient)])
    except ConfigError as error:
        accounts = []
        for problem in error.problems:
            yield Finding("account", "trouble", problem, "fix that line, then: pepper config check")
    for part, check in (first, *accounts, *rest):
        try:
            async for finding in _bounded(part, check(patient)):
                yield _once(finding, told)
        except Exception as error:  # the doctor goes on to the next part
            yield Finding(part, "trouble", f"could not be checked: {error or type(error).__name__}", "report this")


def _of_accounts(patient: Patient) -> Iterator[tuple[str, Check]]:
    """Yield a check for each account in the config. Raises ``ConfigError``. Blocking."""
    for one in named(patient.config, patient.home):
        if one.paused:
            yield one.ident, partial(_paused, one)
        elif one.connector.check is not None:
            yield one.ident, partial(_checked, one)


def _checked(one: Named, patient: Patient) -> AsyncIterator[Finding]:
    assert one.connector.check is not None
    return one.connector.check(one.settings, replace(patient, ident=one.ident))


async def _paused(one: Named, patient: Patient) -> AsyncIterator[Finding]:
    del patient
    yield Finding(f"account {one.ident}", "note", f"paused: {one.connector.rests}", resume_words(one.ident))


def _once(finding: Finding, told: set[str]) -> Finding:
    """Return a note in place of trouble that was told as that of the home: it is one thing to fix."""
    if finding.state == "trouble" and any(finding.detail.startswith(each) for each in told):
        return replace(finding, state="note", detail="not tried: see secrets above", remedy="")
    return finding


async def _bounded(part: str, findings: AsyncIterator[Finding]) -> AsyncIterator[Finding]:
    """Yield ``findings``, each within a time limit: for whatever the check's own limits do not cover."""
    steps = aiter(findings)
    while True:
        try:
            async with asyncio.timeout(CHECK_LONGEST):
                finding = await anext(steps)
        except StopAsyncIteration:
            return
        except TimeoutError:
            yield Finding(part, "trouble", f"does not answer within {CHECK_LONGEST:g} s", "try again; then report this")
            return
        yield finding
