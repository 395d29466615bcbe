"""The gist of a signal: who wrote, what they ask, about what, until when; and what else the store holds on it.

It holds facts, or a model's words, which are shown as text and have no authority: the sender and the time never come
from a model.
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
_FARTHEST = 32_503_680_000.0  # the year 3000: nobody wrote a time beyond it


@dataclass(slots=True)
class Related(Record):
    """Something else that the store holds on the same matter. ``ref`` is its ``namespace:id``."""

    ref: str
    label: str


@dataclass(slots=True)
class Gist(Record):
    """The parts of a signal's line.

    ``who`` is the parsed sender. ``asks`` is a sentence of the text or, if ``by`` names a model, the model's words,
    which continue after the name ("asks for the revised budget"). ``due`` is POSIX seconds, read from ``due_said``,
    words of the text; for a day it is the last second (``whole_day``). ``until``: ``due`` is a deadline; otherwise the
    time that the request is for.
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
        """Return all of it in one line; ``first`` is the beginning of the text, for a signal that asks nothing."""
        who, told = one_line(self.who, _ABOUT), self.told(zone, now)
        if self.asks:
            return one_line(f"{who} {told}" if self.by else f"{who}{told}", _LINE)
        begins = one_line(first, _ASKS)
        return one_line(f"{who}: {told}" + (f" — {begins}" if begins else ""), _LINE)

    def told(self, zone: tzinfo, now: float) -> str:
        """Return the part that follows the name."""
        due = f", {'due' if self.until else 'for'} {self.when(zone, now)}" if self.due is not None else ""
        return f"{self.asked}{due}"

    @property
    def asked(self) -> str:
        """What is asked, and about what."""
        asks, about = one_line(self.asks, _ASKS), one_line(self.about, _ABOUT)
        words = about
        if asks:
            words = asks if self.by else f" asks: “{asks}”" if asks.endswith(("?", "？")) else f": “{asks}”"
            words += f" (“{about}”)" if about and about.casefold() not in asks.casefold() else ""
        return words

    def when(self, zone: tzinfo, now: float) -> str:
        """Return ``due`` in a person's words; an empty string if there is none."""
        if self.due is None:
            return ""
        return day(self.due, zone, now) if self.whole_day else moment(self.due, zone, now)
