"""The doctor's finding on one part, and the form of a check.

A check is one file of this package, named by its noun: ``async def check(patient: Patient) -> AsyncIterator[Finding]``.
It reads and asks, and changes nothing; a server in the config is greeted, never given work. Its module imports little:
heavy imports are in the function, and blocking work runs in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pepper_tui.config import Config, Secrets
from pepper_tui.text import one_line

State = Literal["ok", "note", "trouble"]
LONGEST: Final = 10.0
"""Seconds for a file or folder to answer."""
PATIENCE: Final = 5.0
"""Seconds for a server to answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One part and its state. ``note`` is no fault, but worth knowing. ``remedy`` says what to do."""

    part: str
    state: State
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What a check examines.

    ``health`` holds the health reports of a running engine, by part; it is empty if none runs. ``ident`` is the id of
    the account that is examined.
    """

    home: Path
    config: Config
    secrets: Secrets
    health: dict[str, Finding]
    ident: str = ""


Check = Callable[[Patient], AsyncIterator[Finding]]


async def looked(part: str, place: Path, function: Callable[..., Finding], *args: object) -> Finding:
    """Return the finding of the blocking ``function`` on ``place``, or that it does not answer.

    A folder may hang for hours.
    """
    try:
        async with asyncio.timeout(LONGEST):
            return await asyncio.to_thread(function, *args)
    except TimeoutError:
        return unanswered(part, place)


def unanswered(part: str, place: Path) -> Finding:
    return Finding(part, "trouble", f"{place} does not answer", "check whether its disk or server is connected")


def without(words: str, *secrets: str) -> str:
    """Return ``words`` without the secrets, in case a server echoed one."""
    for secret in filter(None, secrets):
        words = words.replace(secret, "…")
    return words


def in_words(finding: Finding) -> str:
    """Format one finding as a line, with its remedy on the next."""
    mark = {"ok": "ok     ", "note": "note   ", "trouble": "TROUBLE"}[finding.state]
    line = f"{mark}  {one_line(finding.part, 400):<22} {one_line(finding.detail, 400)}"
    if not finding.remedy or finding.state == "ok":
        return line
    return f"{line}\n{'':<9}{'':<22} → {one_line(finding.remedy, 400)}"
