"""How often something is wanted, as people say it: "every weekday at 8", "mondays at 9:30", "every 2 hours".

Several hours of a day, and days left out, are part of it. An hour with a rhythm is the hour that was said: "every day
at 8" is 08:00, "every day at 5" 17:00, "every evening at 8" 20:00.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pepper_tui.llm.rule_conditions import Doubt


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Either a cron line or a number of seconds, and the words for it."""

    words: str
    cron: str = ""
    every: float = 0.0


_I: Final = re.IGNORECASE | re.DOTALL
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_DAYS_LIST: Final = rf"{_DAY}(?:(?:\s*,\s*|\s+and\s+|\s+or\s+){_DAY})*"
_DAYS_SAID: Final = rf"(?P<days>{_DAYS_LIST})"
_HOUR: Final = (
    r"(?:noon|midnight|\d{1,2}(?:[:.]\d{2})?\s*(?:am|pm|a\.m\.|p\.m\.|o'clock|h)?)(?![\w:.%-])"
    r"(?!\s*(?:hours?|minutes?|mins?|days?|weeks?|times|things)\b)"
)
_BUT: Final = r"(?:,?\s+(?:except|excluding|but\s+not)\s+(?:for\s+)?(?:on\s+)?(?P<but{}>" + _DAYS_LIST + r"))?"
_HOURS: Final = rf"{_HOUR}(?:(?:(?:\s*,\s*|\s+and\s+){_HOUR})*,?\s+and\s+(?:at\s+)?{_HOUR})?"
_AT: Final = _BUT.format("") + rf"(?:,?\s+(?:at\s+|@\s*|around\s+)?(?P<clock>{_HOURS}))?" + _BUT.format("_later")
_RHYTHM: Final = (
    r"(?:(?:every|each)\s+(?:single\s+)?"
    rf"(?:{_DAYS_SAID}|(?P<unit>day|weekday|workday|working\s+day|weekend|week|month|morning|afternoon|evening|night|hour)s?"
    r"|(?P<count>\d{1,3}|other|two|three|four)\s+(?P<of>minute|min|hour|day)s?)"
    r"|(?P<ly>daily|hourly|weekly|monthly)"
    rf"|(?:on\s+)?(?P<on>weekdays|workdays|weekends|mornings|evenings)|(?:on\s+)?(?P<ons>{_DAY[:-2]}s(?:\s+and\s+{_DAY[:-2]}s)*))"
    r"(?:\s+(?P<part>morning|afternoon|evening|night))?"
)
_FIRST_CLOCK: Final = r"(?:at\s+(?P<early>noon|midnight|\d{1,2}(?:[:.]\d{2})?\s*(?:am|pm)?),?\s+)?"
_LEADING: Final = re.compile(rf"{_FIRST_CLOCK}{_RHYTHM}{_AT}[\s,:]+(?P<task>.+)", _I)
_TRAILING: Final = re.compile(
    rf"(?P<task>.+?),?\s+(?:at\s+(?P<early>noon|midnight|\d{{1,2}}(?:[:.]\d{{2}})?\s*(?:am|pm)?),?\s+)?{_RHYTHM}{_AT}",
    _I,
)
_USUAL: Final = {"morning": (9, 0), "afternoon": (14, 0), "evening": (18, 0), "night": (20, 0)}
_UNITS: Final = {"minute": 60, "min": 60, "hour": 3600, "day": 86_400}


def rhythm_of(said: str) -> tuple[Rhythm, str, bool] | None:
    """The rhythm in ``said``, what is to be done then, and whether the rhythm stands first; ``None`` without one."""
    for pattern, leading in ((_LEADING, True), (_TRAILING, False)):
        if (found := pattern.fullmatch(said)) and (rhythm := _rhythm(found)):
            return rhythm, found["task"], leading
    return None


def _rhythm(found: re.Match[str]) -> Rhythm | None:
    part = (found["part"] or "").lower()
    unit = re.sub(r"\s+", "", (found["unit"] or found["ly"] or found["on"] or "").lower())
    unit = {"weekdays": "weekday", "workdays": "weekday", "workday": "weekday", "workingday": "weekday",
            "weekends": "weekend", "mornings": "morning", "evenings": "evening", "daily": "day", "hourly": "hour",
            "weekly": "week", "monthly": "month"}.get(unit, unit)  # fmt: skip
    if found["clock"] and found["early"]:
        raise Doubt(found["clock"], "the hour stands in it twice")
    clock = found["clock"] or found["early"] or ""
    but = found["but"] or found["but_later"] or ""
    if but and (found["count"] or unit in ("hour", "week", "month") or (found["but"] and found["but_later"])):
        raise Doubt(f"except {but}", "days can be left out of “every day” and “every weekday” only")
    if found["count"]:
        number = {"other": 2, "two": 2, "three": 3, "four": 4}.get(found["count"].lower()) or int(found["count"])
        of = found["of"].lower()
        if of == "day" or clock or not number:
            return None  # a time of day would be lost
        return Rhythm(f"every {number} {of}s", every=float(number * _UNITS[of]))
    if unit == "hour":
        return None if clock else Rhythm("every hour", cron="0 * * * *")
    part = part or (unit if unit in _USUAL else "")
    times = [_clock(each, part) for each in re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", clock)] if clock else []
    at = [each for each in times if each is not None] or [_USUAL.get(part, (9, 0))]
    if None in times:
        return None
    minute = at[0][1]
    if any(each[1] != minute for each in at):
        raise Doubt(clock, "several hours of one rule share their minutes; make two rules of it")
    hour = ",".join(str(each) for each in sorted({each[0] for each in at}))
    named = found["days"] or found["ons"]
    if named:
        codes = [one.lower()[:3] for one in re.findall(_DAY, named, re.I)]
        return _on_days(codes, but, f"{minute} {hour}", f"every {' and '.join(dict.fromkeys(codes))}")
    if unit == "month":
        return Rhythm("every month", f"{minute} {hour} 1 * *")
    if but:
        codes = {"weekday": list(_DAYS[1:6]), "weekend": ["sat", "sun"]}.get(unit, list(_DAYS))
        return _on_days(codes, but, f"{minute} {hour}", f"every {unit}")
    days = {"weekday": "mon-fri", "weekend": "sat,sun", "week": "mon"}.get(unit, "*")
    return Rhythm(f"every {unit}", f"{minute} {hour} * * {days}")


def _on_days(codes: list[str], but: str, at: str, words: str) -> Rhythm:
    """The rhythm of the days ``codes`` without those that ``but`` names."""
    left_out = {one.lower()[:3] for one in re.findall(_DAY, but, re.I)}
    if not left_out <= set(codes) or not set(codes) - left_out:
        raise Doubt(f"except {but}", "it leaves out a day that is not among the others, or all of them")
    days = sorted(set(codes) - left_out, key=lambda code: (_DAYS.index(code) - 1) % 7)
    return Rhythm(words, f"{at} * * {','.join(days)}")


def _clock(said: str, part: str) -> tuple[int, int] | None:
    """Hour and minute; ``part`` of the day says which half a small hour is of."""
    plain = said.lower().removeprefix("at ").replace(" ", "").replace(".m.", "m")
    if plain in ("noon", "midnight"):
        return (12, 0) if plain == "noon" else (0, 0)
    found = re.fullmatch(r"(\d{1,2})(?:[:.](\d{2}))?(am|pm|o'clock|h)?", plain)
    if not found:
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
    if half in ("am", "pm"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    elif (part in ("afternoon", "evening") and hour < 12) or (part == "night" and 6 <= hour < 12):
        hour += 12
    elif not part and 1 <= hour <= 6 and plain[0] != "0":
        if minute:
            raise Doubt(said, f"say {hour}:{minute:02}am or {hour}:{minute:02}pm")
        hour += 12  # as wherever a time is read: a small hour is the afternoon's
    return (hour, minute) if hour <= 23 and minute <= 59 else None
