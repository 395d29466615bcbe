"""Finds the deadline in a text written by somebody else ("… by Friday at noon").

Only a time after a word that makes it a deadline counts, or, in a question, the time it asks for. An ambiguous time is
left out: a guess would be reported as a fact. Takes some tens of milliseconds of CPU time: not for the event loop.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from typing import Final, NamedTuple

from pepper_tui.clock.recurrence import instant
from pepper_tui.clock.words.days_said import days_said
from pepper_tui.clock.words.text import TimeRefusedError, read_time
from pepper_tui.clock.words.within import opening_time

LOOKED: Final = 4_000  # characters of a text that are searched for a deadline
_TRIES: Final = 4  # cues tried per text
_REACH: Final = 60  # characters of a time
_DEADLINE: Final = (
    r"by|until|till|before|deadline(?:\s+(?:is|on|of|at))*:?|due(?:\s+(?:date|is|on|by|at|in))*:?|(?:no|not)\s+later\s+than"
    r"|at\s+the\s+latest(?:\s+(?:by|on))?"
    r"|bis(?:\s+(?:spätestens|zum|zur))*|spätestens(?:\s+(?:am|bis|zum|zur))*|fällig(?:\s+(?:am|bis|zum))*:?"
    r"|frist(?:\s+(?:ist|endet|am|bis|zum))*:?|vor(?:\s+dem)?"
)
_CUE: Final = re.compile(rf"\b(?:(?:{_DEADLINE})\s+|(?=within\s))", re.IGNORECASE)
_LEADING: Final = re.compile(rf"\s*(?:{_DEADLINE})\s+", re.IGNORECASE)
_BEFORE: Final = re.compile(r"(?:before|vor)\b", re.IGNORECASE)
"""The day itself is too late."""
_ARTICLE: Final = re.compile(r"(?:the|der|die|das|dem|den)\s+", re.IGNORECASE)
_END: Final = re.compile(r"[\n!?;()\[\]<>|“”\"]|(?<!\d)\.(?:\s|$)|\.$")
"""Where a time ends at the latest: a dot after a number is part of a date."""
_ASKED_FOR: Final = re.compile(
    r"\b(?:(?:on|at|in|this|next|am|um|im|nächste[nrs]?|kommende[nrs]?)\s+(?=[\w\d])"
    r"|(?=(?:tomorrow|today|tonight|morgen|heute|übermorgen)\b))",
    re.IGNORECASE,
)
_END_OF_DAY: Final = re.compile(r"(?:the )?(?:eod|cob|end of (?:the )?day|close of business)", re.IGNORECASE)
_PROSE: Final = re.compile(
    r"(?!eod|cob|noon)[a-zäöü]{1,4}|[^\W\d]{1,2}|(?:the )?(?:first|second|third|fourth|fifth|day|night)"
)
"""Words that can be a time but in a sentence hardly ever are: "before we meet", "by the second".

Short names of days and months count if capitalised.
"""
_OF_BEFORE: Final = re.compile(
    r"\b(?:did|was|were|had|last|yesterday|ago|hattest|hatten|warst?|waren|gestern|letzte[nrs]?|vorige[nrs]?)\b",
    re.IGNORECASE,
)


class Due(NamedTuple):
    """A time that something is due.

    ``at``: POSIX seconds; for a day its last second. ``said``: the words that were read, as in the text. ``until``:
    true for a deadline, false for the time that a question asks for.
    """

    at: float
    whole_day: bool
    said: str
    until: bool


def deadline_in(text: str, written: float, zone: tzinfo, locale: str = "en") -> Due | None:
    """Return the first deadline in ``text``, read at the time it was ``written``; ``None`` if it has none."""
    cues = ((cue.start(), cue.end()) for cue in _CUE.finditer(text[:LOOKED]))
    return _first(cues, text, written, zone, locale, until=True)


def time_asked_for(question: str, written: float, zone: tzinfo, locale: str = "en") -> Due | None:
    """Return the time that ``question`` asks for ("Can we meet on Friday at 3?") if it is ahead; else ``None``."""
    if _OF_BEFORE.search(question[:LOOKED]):
        return None
    cues = ((cue.start(), cue.start()) for cue in _ASKED_FOR.finditer(question[:LOOKED]))
    return _first(cues, question, written, zone, locale, until=False)


def read_due(said: str, text: str, written: float, zone: tzinfo, locale: str = "en") -> Due | None:
    """Read the deadline that somebody found in ``text``.

    It counts only if ``said`` occurs there, word for word, and is a time.
    """
    wanted = " ".join(said.split()).strip(" .,;:!?\"'“”‘’")
    if not wanted or len(wanted) > 2 * _REACH:
        return None
    where = re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", " ".join(text.split()), re.IGNORECASE)
    if where is None:
        return None
    cue = _LEADING.match(wanted)
    return _read(wanted[cue.end() if cue else 0 :], where[0], written, zone, locale, until=True)


def _first(
    cues: Iterable[tuple[int, int]], text: str, written: float, zone: tzinfo, locale: str, *, until: bool
) -> Due | None:
    """Return the time at the first of the ``cues`` that has one.

    Each cue gives its own start and the start of its time.
    """
    tried = (_opening(text, *cue, written, zone, locale, until=until) for cue in islice(cues, _TRIES))
    return next(filter(None, tried), None)


def _opening(
    text: str, start: int, opens: int, written: float, zone: tzinfo, locale: str, *, until: bool
) -> Due | None:
    """Return the time that ``text`` continues with at ``opens``; its quoted words begin at ``start``."""
    rest = text[opens : opens + _REACH]
    end = _END.search(rest)
    rest = rest[: end.start()] if end else rest
    article = _ARTICLE.match(rest)
    for skipped in dict.fromkeys((0, article.end() if article else 0)):
        said = opening_time(rest[skipped:], locale)
        if said:
            where = opens + skipped + rest[skipped:].find(said) + len(said)
            return _read(said, " ".join(text[start:where].split()), written, zone, locale, until=until)
    return None


def _read(time: str, said: str, written: float, zone: tzinfo, locale: str, *, until: bool) -> Due | None:
    """Read ``time`` as a deadline. A week or a month is none: it does not say which day."""
    today = datetime.fromtimestamp(written, zone)
    if _PROSE.fullmatch(time):
        return None
    if _END_OF_DAY.fullmatch(time):
        return Due(_last_second(today, zone), True, said, until)
    for words in _ways(time):
        named = days_said(words, today.date(), locale)
        with suppress(TimeRefusedError, ValueError, OverflowError):
            reading = read_time(words, written, zone, locale)
            if reading.rrule or (reading.whole_days and named is not None and named[1] > 1):
                return None
            if reading.whole_days:
                last = datetime.fromtimestamp(reading.at, zone) - timedelta(days=1 if _BEFORE.match(said) else 0)
                return Due(_last_second(last, zone), True, said, until)
            return Due(reading.at, False, said, until)
        if named == (today.date(), 1) and not re.search(r"\d", words):  # "today", when the usual hour has passed
            return Due(_last_second(today, zone), True, said, until)
    return None


def _ways(time: str) -> Iterator[str]:
    yield time
    if found := _ARTICLE.match(time):
        yield time[found.end() :]


def _last_second(wall: datetime, zone: tzinfo) -> float:
    midnight = datetime.combine(wall.date() + timedelta(days=1), datetime.min.time())
    return instant(midnight, zone) - 1
