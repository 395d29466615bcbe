"""What the doctor says of one part, and the shape of a check.

A check is one file of this package, named by its noun: ``async def check(patient: Patient) -> AsyncIterator[Finding]``.
It reads and asks, and changes nothing; a server that the config names is greeted, never given work. Its own imports
are light: heavy ones stand in the function, and what blocks runs in a thread.
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
    """One part and how it is. ``note`` is no fault, but worth knowing. ``remedy`` says what to do."""

    part: str
    state: State
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What a check looks at. ``health`` holds what the parts of a running engine say of themselves, by part; it is
    empty where none runs."""

    home: Path
    config: Config
    secrets: Secrets
    health: dict[str, Finding]


Check = Callable[[Patient], AsyncIterator[Finding]]


async def looked(part: str, place: Path, function: Callable[..., Finding], *args: object) -> Finding:
    """What the blocking ``function`` finds at ``place``, or that it does not answer: a folder may hang for hours."""
    try:
        async with asyncio.timeout(LONGEST):
            return await asyncio.to_thread(function, *args)
    except TimeoutError:
        return unanswered(part, place)


def unanswered(part: str, place: Path) -> Finding:
    return Finding(
        part, "trouble", f"{place} does not answer", "see whether the disk or server that it lies on is there"
    )


def without(words: str, *secrets: str) -> str:
    """``words`` without the secrets, should a server have said one back."""
    for secret in filter(None, secrets):
        words = words.replace(secret, "…")
    return words


def in_words(finding: Finding) -> str:
    """One finding as a line, and how to fix it on the next."""
    mark = {"ok": "ok     ", "note": "note   ", "trouble": "TROUBLE"}[finding.state]
    line = f"{mark}  {one_line(finding.part, 400):<22} {one_line(finding.detail, 400)}"
    if not finding.remedy or finding.state == "ok":
        return line
    return f"{line}\n{'':<9}{'':<22} → {one_line(finding.remedy, 400)}"
