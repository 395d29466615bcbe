"""The reader of times in words, shared by everything of one user: their zone, their locale, off the event loop."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import tzinfo
from typing import Final

from pepper_tui.clock.clock import Clock
from pepper_tui.clock.recurrence import check_rule, first_after
from pepper_tui.clock.words.past import Stretch, read_past
from pepper_tui.clock.words.reading import Reading, said
from pepper_tui.clock.words.text import TimeAskedError, TimeRefusedError, read_time

REPEAT_EXAMPLES: Final = "'daily', 'every weekday', 'every monday and thursday', 'every 2 weeks', 'FREQ=MONTHLY'"


class TimeReader:
    def __init__(self, clock: Clock, zone: tzinfo, locale: str = "en") -> None:
        self._clock, self.zone, self.locale = clock, zone, locale

    async def read(self, text: str) -> Reading:
        """Read ``text`` as said now. Raises ``TimeAskedError`` or ``TimeRefusedError``."""
        return await asyncio.to_thread(read_time, text, self._clock.now(), self.zone, self.locale)

    async def start(self, text: str) -> Reading:
        """Read ``text`` where a range has no place: asks which of its two ends is meant."""
        reading = await self.read(text)
        if reading.end is None or reading.whole_days:
            return reading
        ends = [replace(reading, end=None), replace(reading, at=reading.end, end=None)]
        raise TimeAskedError(f"“{text.strip()[:60]}” goes from one time to another; say which", ends)

    async def moment(self, text: str) -> float:
        """Return the one time that ``text`` means, in POSIX seconds; a rhythm is refused."""
        reading = await self.start(text)
        if reading.rrule:
            raise TimeRefusedError(f"“{text.strip()[:60]}” comes again and again; say one time")
        return reading.at

    async def repeated(self, when: str, repeat: str) -> Reading:
        """Return the first time and the rule from two fields: ``repeat`` is a rhythm in words, or an RRULE.

        The first time follows the rule, at the hour that ``when`` gives, and is not before it.
        """
        first = await self.start(when)
        rule = await self._rule(repeat)
        if first.rrule and first.rrule != rule:
            raise TimeRefusedError(f"“{when.strip()[:60]}” and “{repeat.strip()[:60]}” are two rhythms; say one")
        at = await asyncio.to_thread(first_after, rule, first.at, first.at - 1, self.zone)
        if at is None:
            raise TimeRefusedError(f"“{repeat.strip()[:60]}” never comes after “{when.strip()[:60]}”")
        return replace(first, at=at, rrule=rule)

    async def past(self, text: str) -> Stretch:
        """Return where ``text``, read as a time in the past, begins and ends. Raises ``TimeRefusedError``."""
        return await asyncio.to_thread(read_past, text, self._clock.now(), self.zone, self.locale)

    async def _rule(self, repeat: str) -> str:
        if "freq=" in repeat.lower():
            return await asyncio.to_thread(check_rule, repeat)
        try:
            rule = (await self.read(repeat)).rrule
        except TimeRefusedError as error:
            raise TimeRefusedError(f"{error}; a rhythm is e.g. {REPEAT_EXAMPLES}") from error
        if not rule:
            raise TimeRefusedError(f"“{repeat.strip()[:60]}” is not a rhythm; try {REPEAT_EXAMPLES}")
        return rule

    def said(self, reading: Reading) -> str:
        """Return ``reading`` in words, for example "Mon 30 Nov 08:00, every Monday"."""
        return said(reading, self.zone, self._clock.now())
