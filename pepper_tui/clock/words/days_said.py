"""The days that a phrase names ("next week", "friday", "4 dec"), for a view of them: no hour is needed.

Takes some milliseconds of CPU time: not for the event loop.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from pepper_tui.clock.words.parts import Month, Relative, Unclear, Week, Weekend
from pepper_tui.clock.words.phrase import Phrase
from pepper_tui.clock.words.text import phrases


def days_said(text: str, today: date, locale: str = "en") -> tuple[date, int] | None:
    """Return the first day that ``text`` names, from ``today`` on, and the number of days; ``None`` if it names none.

    If it can mean several days, the first one counts: viewing a day commits to nothing.
    """
    for phrase in phrases(" ".join(text.split()).rstrip(" ?!"), locale):
        if phrase.rhythm is None:
            try:
                found = _days(phrase, today)
            except Unclear:
                continue
            if found is not None:
                return found
    return None


def _days(phrase: Phrase, today: date) -> tuple[date, int] | None:
    day = phrase.day
    if day is None:
        if phrase.span is not None:
            return phrase.span.from_day(today), 1
        day = Relative(0)
    if isinstance(day, Week):
        return (day.day(today, 0) if day.weeks else today), 7
    if isinstance(day, Month):
        first = next(each for each in day.firsts(today) if (each.year, each.month) >= (today.year, today.month))
        last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        first = max(first, today)
        return first, (last - first).days + 1
    ahead = next((each for each in day.readings(today)[0] if each >= today), None)
    if ahead is None:
        return None
    if isinstance(day, Weekend):
        return ahead, 7 - ahead.weekday()
    if phrase.last_day is not None:
        last = next((each for each in phrase.last_day.readings(ahead)[0] if each >= ahead), ahead)
        return ahead, (last - ahead) // timedelta(days=1) + 1
    return ahead, 1
