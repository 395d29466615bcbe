"""The box delivered day by day to a real engine without a model, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter
from tests.domains.mail.box import box
from tests.domains.mail.box.letters import DAY, START, Letter
from tests.domains.mail.mails import deliver, make_maildir
from tests.rules.house import House
from tests.stored import backlog


@dataclass
class Lived:
    """``signals`` by Message-ID, and ``sequence`` in the order in which they came; open and closed ``notices``."""

    letters: list[Letter]
    signals: dict[str, dict[str, Any]] = field(default_factory=dict)
    sequence: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    follow_ups: list[dict[str, Any]] = field(default_factory=list)
    silence: list[str] = field(default_factory=list)
    mails: list[dict[str, Any]] = field(default_factory=list)
    signs: dict[str, set[str]] = field(default_factory=dict)


def put(maildir: Path, letters: Iterable[Letter], begins: int = 0) -> int:
    """Deliver letters to the folders that they belong to; return how many there were."""
    count = 0
    for count, letter in enumerate(letters, 1):
        root = maildir if letter.folder == "INBOX" else make_maildir(maildir / f".{letter.folder}")
        deliver(root, letter.source, f"{int(letter.at)}.{begins + count}.box")
    return count


async def taken(house: House, count: int) -> None:
    """Until so many mails are in the store, and everything has come of them."""

    async def settled() -> bool:
        if await house.engine.store.count(ContextFilter(namespaces=["raw.mail"])) < count:
            return False
        return not await backlog(house.engine.store)

    await house.until(settled, seconds=60, step=1.0)
    await house.until(settled, seconds=60)


async def live(folder: Path, letters: list[Letter] | None = None, more: str = "") -> Lived:
    """Let a house live through the box."""
    lived, clock, done = Lived(letters or box()), ManualClock(start=START - 3_600), 0
    async with House(folder, more, clock=clock) as house:
        for day, some in groupby(lived.letters, key=lambda letter: int((letter.at - START) / DAY * 2)):
            those = list(some)
            clock.jump(max(0.0, START + day * DAY / 2 + 3_600 - clock.now()))
            done += put(house.maildir, those, done)
            await taken(house, done)
        clock.jump(DAY)
        await taken(house, done)

        async def ended() -> bool:
            return not await house.facts("follow_up", state="open")

        await house.until(ended, seconds=60, step=5.0)
        await taken(house, done)
        lived.sequence = await house.facts("signals.mail")
        lived.signals = {each["metadata"]["message_id"]: each for each in lived.sequence}
        lived.notices = await house.facts("notification")
        lived.follow_ups = await house.facts("follow_up")
        lived.mails = await house.facts("raw.mail")
        signs = house.engine.parts.ground.signs
        await signs.learn(house.engine.store)
        for mail in lived.mails:
            lived.signs[mail["message_id"]] = set(await signs.of(house.engine.store, mail))
    return lived
