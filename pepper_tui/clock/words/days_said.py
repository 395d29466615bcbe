"""The days that a phrase names ("next week", "friday and monday", "the week of 14 dec"), for a view of them.

No hour is needed. Takes some milliseconds of CPU time: not for the event loop.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from pepper_tui.clock.words import english, german
from pepper_tui.clock.words.parts import Month, Relative, Unclear, Week, Weekend
from pepper_tui.clock.words.past import read_past
from pepper_tui.clock.words.phrase import Phrase
from pepper_tui.clock.words.text import TimeRefusedError, phrases
from pepper_tui.clock.words.within import is_rhythm, is_time

Span = tuple[date, int]
"""The first day, and how many."""

_DAY: Final = timedelta(days=1)
_SOME: Final[Span] = (date(2026, 11, 30), 1)  # for a question that no day decides
_MOST_JOINED: Final = 8
_LONGEST: Final = 200  # characters
_I: Final = re.IGNORECASE
_MONTHS: Final = "|".join(sorted({*english.WORDS["MONTH"], *german.WORDS["MONTH"]}, key=len, reverse=True))
_WEEKDAYS: Final = "|".join(sorted({*english.WORDS["WEEKDAY"], *german.WORDS["WEEKDAY"]}, key=len, reverse=True))
_NUMBERS: Final = {
    **english.WORDS["NUMBER_WORD"], **german.WORDS["NUMBER_WORD"], "few": 3, "couple of": 2, "paar": 3,
}  # fmt: skip
_LEAD: Final = r"(?:(?:on|for|in|during|over|within|im|in|für|am)\s+)?(?:(?:the|my|der|die|den|dem)\s+)?"
_JOINT: Final = re.compile(r"(?:\s*(?:[,;&+]|\b(?:and|or|und|oder)\b))+\s*", _I)
_BARE_WEEKDAY: Final = re.compile(rf"(?:(?:on|am)\s+)?(?:the\s+)?(?:{_WEEKDAYS})", _I)
_BARE_WHICH: Final = re.compile(r"(?:the\s+)?(?:this|next|diese[rnsm]?|nächste[rnsm]?)", _I)
_DAY_AFTER: Final = re.compile(r"(?:the\s+)?(?:day\s+after|(?:next|following)\s+day)|(?:der\s+)?tag\s+danach", _I)
_UNIT: Final = re.compile(r"\b(?:week(?:end)?|month|woche(?:nende)?|monat)\b", _I)
_ENDS_WITH_WEEK: Final = re.compile(
    r"\s(?:(?:of\s+)?(?:this|next)\s+week|the\s+week\s+after\s+next|in\s+\w+\s+weeks?|nächste[rn]?\s+woche)$", _I
)
_OF_MONTH: Final = re.compile(
    rf"(?P<before>(?:{_MONTHS})\s+)?(?P<days>(?:(?:on|the|am|den|dem)\s+)*\d{{1,2}}(?:st|nd|rd|th|\.)?"
    rf"(?:(?:\s*(?:,|&|\band\b|\bor\b|\bund\b|\boder\b))+\s*(?:the\s+|den\s+)?\d{{1,2}}(?:st|nd|rd|th|\.)?)+)"
    rf"(?P<after>\s+(?:of\s+)?(?:{_MONTHS}))?(?P<year>,?\s+\d{{4}})?",
    _I,
)
_THE_UNIT: Final = re.compile(rf"{_LEAD}(?P<unit>week(?:end)?|month)", _I)
_WEEK_OF: Final = re.compile(
    rf"{_LEAD}(?P<unit>week(?:end)?)\s+(?P<how>of|around|with|starting|beginning|commencing)\s+(?:the\s+week\s+of\s+)?(?P<day>.+)"
    rf"|{_LEAD}woche\s+(?P<how_de>vom|des|um|mit|ab)\s+(?:dem\s+|den\s+)?(?P<day_de>.+)",
    _I,
)
_NUMBERED: Final = re.compile(
    rf"{_LEAD}(?:(?:calendar\s+)?week|kw|kalenderwoche)\s*(?:no\.?\s*|number\s+)?(?P<n>\d{{1,2}})", _I
)
_AHEAD: Final = re.compile(
    rf"(?P<next>{_LEAD}(?:next|coming|following|nächsten|kommenden)\s+)?(?:a\s+|ein\s+)?(?P<n>\d{{1,3}}|{'|'.join(_NUMBERS)})\s+"
    r"(?P<unit>days?|weeks?|months?|tagen?|tage|wochen?|monaten?|monate)",
    _I,
)
_REST: Final = re.compile(
    rf"{_LEAD}rest\s+(?:of\s+(?:the\s+|this\s+)?|der\s+|des\s+)(?P<unit>week|month|year|woche|monats|jahres)", _I
)
_RANGE: Final = re.compile(
    r"(?:(?:from|between|von)\s+)?(?P<first>.+?)\s+(?:[-–—]|to|until|till|through|bis)\s+(?P<last>.+)", _I
)


def days_said(text: str, today: date, locale: str = "en") -> Span | None:
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


def names_days(text: str, locale: str = "en", *, bare: bool = False) -> bool:
    """Check whether all of ``text`` names days, whatever they are, also such as are joined by "and" or commas.

    ``bare``: nothing else says that days are meant, so an hour or a length alone names none.
    """
    plain = _plain(text)

    def read(words: str, before: Span | None) -> Span | None:
        if before is not None and _DAY_AFTER.fullmatch(words):
            return _SOME
        return _SOME if _may_be(words, locale, alone=words == plain and not bare) else None

    return _joined(plain, read) is not None


def spans_said(text: str, today: date, locale: str = "en") -> list[Span]:
    """Return all days that ``text`` names, in order; none if any of it names no day.

    A weekday after another day is the next one after that. A phrase that means no day ahead may mean one that is past.
    """
    plain = _plain(text)

    def read(words: str, before: Span | None) -> Span | None:
        if before is not None and _DAY_AFTER.fullmatch(words):
            return before[0] + before[1] * _DAY, 1
        if not _may_be(words, locale, alone=words == plain):
            return None
        return _one(words, before[0] if before is not None and _BARE_WEEKDAY.fullmatch(words) else today, locale)

    found = _joined(plain, read)
    return _merged(found) if found else []


def _plain(text: str) -> str:
    return " ".join(text.split()).rstrip(" ?!")


def _joined(text: str, read: Callable[[str, Span | None], Span | None]) -> list[Span] | None:
    """Return what each of the parts that ``text`` joins means; ``None`` if one means nothing.

    What "and" joins are two parts wherever they can be; a comma may also stand within one, as in "friday, 4 december".
    ``read`` is given what was named before, too.
    """
    if days := _days_of_month(text[: _LONGEST + 1]):
        found = [read(day, None) for day in days]
        return [one for one in found if one is not None] if None not in found else None
    joints = [*_JOINT.finditer(text)]
    if len(joints) >= _MOST_JOINED or len(text) > _LONGEST:
        return None
    starts = [0, *(each.end() for each in joints)]
    ends = [*(each.start() for each in joints), len(text)]
    week, unit = _ENDS_WITH_WEEK.search(text), _UNIT.search(text)

    def meant(words: str) -> str:
        if unit is not None and _BARE_WHICH.fullmatch(words):
            return f"{words} {unit[0]}"
        return f"{words}{week[0]}" if week is not None and _BARE_WEEKDAY.fullmatch(words) else words

    dead: set[int] = set()  # where no reading begins: otherwise each way to it would be tried anew

    def rest(first: int, before: Span | None) -> list[Span] | None:
        if first == len(starts):
            return []
        if first in dead:
            return None
        lasts = range(len(ends) - 1, first - 1, -1)
        for last in sorted(lasts, key=lambda last: any(each[0].strip(" ,;") for each in joints[first:last])):
            one = read(meant(text[starts[first] : ends[last]]), before)
            more = rest(last + 1, one) if one is not None else None
            if one is not None and more is not None:
                return [one, *more]
        dead.add(first)
        return None

    return rest(0, None)


def _days_of_month(text: str) -> list[str]:
    """Return the days of "14 and 15 dec", each with its month; none for anything else."""
    found = _OF_MONTH.fullmatch(text)
    if found is None or bool(found["after"]) == bool(found["before"]):
        return []
    month = (found["after"] or found["before"]).strip().removeprefix("of ")
    return [f"{day} {month}{found['year'] or ''}" for day in re.findall(r"\d{1,2}", found["days"])]


def _may_be(words: str, locale: str, *, alone: bool) -> bool:
    """Check whether ``words`` may name days. Beside others ("... and afternoon") they must name a day of their own."""
    if any(form.fullmatch(words) for form in (_THE_UNIT, _NUMBERED, _REST)):
        return True
    if found := _AHEAD.fullmatch(words):
        return alone or bool(found["next"])
    if found := _WEEK_OF.fullmatch(words):
        return _is_day(found["day"] or found["day_de"], locale, alone=True)
    if is_time(words, locale) and not is_rhythm(words, locale):
        return _is_day(words, locale, alone=alone)
    if _past(words, _SOME[0], locale):
        return True
    found = _RANGE.fullmatch(words)
    return found is not None and all(_is_day(found[end], locale, alone=False) for end in ("first", "last"))


def _is_day(words: str, locale: str, *, alone: bool) -> bool:
    if not is_time(words, locale) or is_rhythm(words, locale):
        return False
    return alone or any(phrase.day is not None or phrase.span is not None for phrase in phrases(words, locale))


def _one(words: str, today: date, locale: str) -> Span | None:
    """Return the days of one part: one stretch of them."""
    if found := _THE_UNIT.fullmatch(words):
        return days_said(f"this {found['unit']}", today, locale)
    if found := _WEEK_OF.fullmatch(words):
        return _week_of(found, today, locale)
    if found := _NUMBERED.fullmatch(words):
        return _numbered(int(found["n"]), today)
    if found := _AHEAD.fullmatch(words):
        return today, _length(found["n"].lower(), found["unit"].lower(), today)
    if found := _REST.fullmatch(words):
        return today, (_last_of(found["unit"].lower()[0], today) - today).days + 1
    if whole := days_said(words, today, locale):
        return whole
    if (found := _RANGE.fullmatch(words)) and (first := days_said(found["first"], today, locale)):
        last = days_said(found["last"], first[0], locale)
        return (first[0], (last[0] - first[0]).days + last[1]) if last else None
    return _past(words, today, locale)


def _week_of(said: re.Match[str], today: date, locale: str) -> Span | None:
    found = days_said(said["day"] or said["day_de"], today, locale)
    if found is None:
        return None
    first = found[0]
    if (said["how"] or said["how_de"]).lower() in ("starting", "beginning", "commencing", "ab"):
        return first, 7
    monday = first - first.weekday() * _DAY
    return (monday + 5 * _DAY, 2) if (said["unit"] or "").lower() == "weekend" else (monday, 7)


def _numbered(number: int, today: date) -> Span | None:
    for year in (today.isocalendar().year, today.isocalendar().year + 1):
        try:
            monday = date.fromisocalendar(year, number, 1)
        except ValueError:
            continue
        if monday + 6 * _DAY >= today:
            return monday, 7
    return None


def _length(count: str, unit: str, today: date) -> int:
    number = int(count) if count.isdigit() else _NUMBERS[count]
    if unit[0] == "m":
        month = today.month - 1 + number
        year, month = today.year + month // 12, month % 12 + 1
        return (date(year, month, min(today.day, calendar.monthrange(year, month)[1])) - today).days
    return number * (7 if unit[0] == "w" else 1)


def _last_of(unit: str, today: date) -> date:
    if unit == "w":
        return today + (6 - today.weekday()) * _DAY
    if unit == "m":
        return today.replace(day=calendar.monthrange(today.year, today.month)[1])
    return date(today.year, 12, 31)


def _past(words: str, today: date, locale: str) -> Span | None:
    """Return the days of a phrase that looks back."""
    try:
        found = read_past(words, datetime.combine(today, time.max, UTC).timestamp(), UTC, locale)
    except TimeRefusedError:
        return None
    first, end = (datetime.fromtimestamp(at, UTC) for at in (found.begins, max(found.begins, found.ends - 1)))
    return first.date(), (end.date() - first.date()).days + 1


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Return the spans by their first days, those joined that touch one another."""
    merged: list[Span] = []
    for first, days in sorted(spans):
        if merged and first <= merged[-1][0] + merged[-1][1] * _DAY:
            start = merged[-1][0]
            merged[-1] = start, max(merged[-1][1], (first - start).days + days)
        else:
            merged.append((first, days))
    return merged


def _days(phrase: Phrase, today: date) -> Span | None:
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
