"""Builds the parts of a phrase from the rules of a grammar: one method per rule, shared by all languages."""

from __future__ import annotations

from typing import Any

from pepper_tui.clock.words.building.days import Days
from pepper_tui.clock.words.building.impossible import Impossible
from pepper_tui.clock.words.building.lengths import Lengths
from pepper_tui.clock.words.building.ranges import Ranges
from pepper_tui.clock.words.building.rhythms import Rhythms
from pepper_tui.clock.words.building.times_of_day import TimesOfDay
from pepper_tui.clock.words.parts import Part, Past, Zone

__all__ = ["Building", "Impossible"]


class Building(Days, TimesOfDay, Lengths, Rhythms, Ranges):
    def start(self, *parts: Part | tuple[Part, ...]) -> tuple[Part, ...]:
        """Return the parts in one flat tuple; a word like “Freitagabend” yields two at once."""
        return tuple(each for part in parts for each in (part if isinstance(part, tuple) else (part,)))

    def zone(self, name: str) -> Zone:
        return Zone(name)

    def past(self, *_: Any) -> Past:
        return Past()
