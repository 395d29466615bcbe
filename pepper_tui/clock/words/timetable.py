"""A rhythm in words, stored as a rule needs it: a cron line in the user's zone, or a number of seconds.

Takes some milliseconds of CPU time: not for the event loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pepper_tui.clock.words import spoken
from pepper_tui.clock.words.text import TimeAskedError, TimeRefusedError, phrases, read_time

_MONDAY: Final = datetime(2026, 11, 30, tzinfo=UTC).timestamp()  # any moment will do: a rhythm is the same at each
_LASTS: Final = "a rule comes at a time and holds until you stop it: it has no length, no end, and no first day"
_SAME: Final = "a rule comes at the same times of every day, week, month or year"


@dataclass(frozen=True, slots=True)
class Timetable:
    """Either a cron line or a number of seconds, and the words for it."""

    words: str
    cron: str = ""
    every: float = 0.0


def timetable(text: str, locale: str = "en") -> Timetable | None:
    """Return the rhythm in ``text``; ``None`` if it is no rhythm.

    Raises ``TimeRefusedError`` with the reason if a rule can't have that rhythm.
    """
    rhythms = [phrase for phrase in phrases(text, locale) if phrase.rhythm is not None]
    if not rhythms:
        return None
    for phrase in rhythms:
        if phrase.between or phrase.until or phrase.until_hour or phrase.times or phrase.length or phrase.starting:
            raise TimeRefusedError(_LASTS)
        if phrase.rhythm is not None and phrase.rhythm.unit == "minute" and len(rhythms) == 1:
            if phrase.clocks or phrase.part or phrase.without:
                raise TimeRefusedError("minutes have no time of day and leave no days out")
            minutes = phrase.rhythm.every
            return Timetable(f"every {minutes} minutes", every=minutes * 60.0)
    try:
        reading = read_time(text, _MONDAY, UTC, locale)
    except TimeAskedError as asked:
        hours = " or ".join(dict.fromkeys(f"{datetime.fromtimestamp(each.at, UTC):%H:%M}" for each in asked.choices))
        raise TimeRefusedError(f"it can be {hours}") from asked
    except TimeRefusedError as refused:
        raise TimeRefusedError(str(refused.__cause__ or refused)) from refused
    return _kept(reading.rrule, datetime.fromtimestamp(reading.at, UTC))


def _kept(rrule: str, first: datetime) -> Timetable:
    said = dict(part.split("=", 1) for part in rrule.split(";"))
    every = int(said.pop("INTERVAL", "1"))
    if said["FREQ"] == "HOURLY":
        words = spoken.rhythm(rrule, UTC)
        return Timetable(words, cron="0 * * * *") if every == 1 else Timetable(words, every=every * 3600.0)
    minute, hour = said.pop("BYMINUTE", str(first.minute)), said.pop("BYHOUR", str(first.hour))
    said.pop("BYSECOND", "")
    days = _days(said)
    if every != 1 or days is None:
        raise TimeRefusedError(_SAME)
    return Timetable(spoken.rhythm(_without_hours(rrule), UTC), f"{minute} {hour} {days}")


def _days(said: dict[str, str]) -> str | None:
    """Return day of the month, month and weekday of a cron line; ``None`` if no cron line can express them."""
    by_day, month_days, month = said.get("BYDAY", "").lower(), said.get("BYMONTHDAY", ""), said.get("BYMONTH", "")
    match said["FREQ"]:
        case "DAILY":
            return "* * *"
        case "WEEKLY":
            names = by_day.split(",") if by_day else ["mo"]
            codes = [_CODES[name] for name in names]
            return "* * mon-fri" if codes == _WORKDAYS else f"* * {','.join(codes)}"
        case "MONTHLY" | "YEARLY" if "BYSETPOS" not in said and (month or said["FREQ"] == "MONTHLY"):
            if by_day:
                return f"* {month or '*'} {_nth(by_day)}"
            return f"{(month_days or '1').replace('-1', 'L')} {month or '*'} *"
    return None


_CODES: Final = {"mo": "mon", "tu": "tue", "we": "wed", "th": "thu", "fr": "fri", "sa": "sat", "su": "sun"}
_WORKDAYS: Final = ["mon", "tue", "wed", "thu", "fri"]


def _nth(by_day: str) -> str:
    """Return the n-th weekday of a month in croniter's notation: “fri#2”, “L5”."""
    number, code = by_day[:-2], by_day[-2:]
    if number == "-1":
        return f"L{(list(_CODES).index(code) + 1) % 7}"
    return f"{_CODES[code]}#{number}"


def _without_hours(rrule: str) -> str:
    return ";".join(part for part in rrule.split(";") if not part.startswith(("BYHOUR", "BYMINUTE", "BYSECOND")))
