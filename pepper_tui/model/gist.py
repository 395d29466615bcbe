"""What a signal comes to: who wrote, what they ask, about what, until when; and what else the store holds on it.

Facts, or the words of a model, which are shown as text and have no authority: who it is from and the time are never a
model's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from pepper_tui.clock import day, moment
from pepper_tui.model.record import Record
from pepper_tui.text import one_line

_ASKS = 160  # characters of each part that a line shows
_ABOUT = 80
_LINE = 320
_FARTHEST = 32_503_680_000.0  # the year 3000: what lies behind it is no time that anybody wrote


@dataclass(slots=True)
class Related(Record):
    """Something that the store holds on the same thing. ``ref`` is its ``namespace:id``."""

    ref: str
    label: str


@dataclass(slots=True)
class Gist(Record):
    """The parts of a signal's line.

    ``who`` is the parsed sender. ``asks`` is a sentence of the text, or, where ``by`` names a model, its words that go
    on after the name ("asks for the revised budget"). ``due`` is POSIX seconds, read from ``due_said``, words of the
    text; of a day the last second (``whole_day``). ``until``: it is a deadline, else a time that what is asked is for.
    """

    who: str = ""
    asks: str = ""
    about: str = ""
    due: float | None = None
    whole_day: bool = False
    until: bool = True
    due_said: str = ""
    by: str = ""
    related: list[Related] = field(default_factory=list)

    def __post_init__(self) -> None:
        due = self.due
        known = isinstance(due, int | float) and not isinstance(due, bool) and 0 <= due < _FARTHEST
        self.due = float(due) if known and due is not None else None
        self.who, self.asks, self.about = str(self.who), str(self.asks), str(self.about)
        self.related = [
            each if isinstance(each, Related) else Related(str(each.get("ref", "")), str(each.get("label", "")))
            for each in (self.related if isinstance(self.related, list) else [])
            if isinstance(each, Related | Mapping)
        ]

    def line(self, zone: tzinfo, now: float, first: str = "") -> str:
        """All of it in one line; ``first`` is what the text begins with, for where nothing is asked."""
        who, told = one_line(self.who, _ABOUT), self.told(zone, now)
        if self.asks:
            return one_line(f"{who} {told}" if self.by else f"{who}{told}", _LINE)
        begins = one_line(first, _ASKS)
        return one_line(f"{who}: {told}" + (f" — {begins}" if begins else ""), _LINE)

    def told(self, zone: tzinfo, now: float) -> str:
        """What follows the name."""
        due = f", {'due' if self.until else 'for'} {self.when(zone, now)}" if self.due is not None else ""
        return f"{self.asked}{due}"

    @property
    def asked(self) -> str:
        """What is asked, about what."""
        asks, about = one_line(self.asks, _ASKS), one_line(self.about, _ABOUT)
        words = about
        if asks:
            words = asks if self.by else f" asks: “{asks}”" if asks.endswith(("?", "？")) else f": “{asks}”"
            words += f" (“{about}”)" if about and about.casefold() not in asks.casefold() else ""
        return words

    def when(self, zone: tzinfo, now: float) -> str:
        """``due`` as a person says it; empty for none."""
        if self.due is None:
            return ""
        return day(self.due, zone, now) if self.whole_day else moment(self.due, zone, now)
