"""Times and rhythms as people write them.

The common forms (durations, clock times, days, ISO) are read by exact rules; anything else goes to ``dateparser``, in a
thread with a deadline. A day without a time means ``MORNING``. What is past or no time at all is refused in words.
"""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

from pepper_tui.clock.recurrence import check_rule, instant, wall_time
from pepper_tui.text import one_line

EXAMPLES: Final = "'in 2 minutes', 'tomorrow 9am', 'friday 14:30', 'next monday', '2027-03-01 10:00'"
REPEAT_EXAMPLES: Final = "'daily', 'every weekday', 'every monday and thursday', 'every 2 weeks', 'FREQ=MONTHLY'"
MORNING: Final = time(9, 0)
LONGEST: Final = 366 * 86_400.0 * 10  # seconds ahead
DEADLINE: Final = 3.0  # seconds for dateparser
_LONGEST_TEXT: Final = 100

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CODES: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_NUMBERS: Final = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "half an": 0.5,
}
_NUMBER: Final = rf"(\d{{1,6}}(?:\.\d+)?|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_UNIT: Final = r"(seconds?|secs?|sec|s|minutes?|mins?|min|m|hours?|hrs?|hr|h|days?|d|weeks?|wks?|w)"
_SPAN_PART: Final = re.compile(rf"{_NUMBER}\s*{_UNIT}(?![a-z])")
_CLOCK: Final = re.compile(r"(?:(\d{1,2})(?::|\.|h)(\d{2})(?::(\d{2}))?\s*(am|pm)?|(\d{1,2})\s*(am|pm))")
_NAMED_TIMES: Final = {
    "noon": time(12),
    "midday": time(12),
    "midnight": time(0),
    "morning": MORNING,
    "afternoon": time(14),
    "evening": time(18),
    "tonight": time(20),
    "night": time(20),
}


def parse_when(text: str, now: float, zone: tzinfo) -> float:
    """The POSIX time that ``text`` means, read at ``now`` in ``zone``.

    Raises ``ValueError`` with words and examples where it is past, too far away or no time.
    """
    plain = " ".join(text.lower().replace(",", " ").split())
    shown = one_line(text, 60)
    if not plain or len(plain) > _LONGEST_TEXT:
        raise ValueError(f"{shown!r} is no time; try {EXAMPLES}")
    try:
        at = _iso(text.strip(), zone) or _span(plain, now) or _day_and_time(plain, now, zone)
        if at is None:
            at = _by_dateparser(plain, now, zone)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{shown!r} is out of reach; try {EXAMPLES}") from error
    if at is None:
        raise ValueError(f"{shown!r} is no time that I understand; try {EXAMPLES}")
    if at <= now:
        raise ValueError(f"{shown!r} is past; try {EXAMPLES}")
    if at - now > LONGEST:
        raise ValueError(f"{shown!r} is more than ten years away; try {EXAMPLES}")
    return at


def _iso(text: str, zone: tzinfo) -> float | None:
    if not re.match(r"\d{4}-?\d{2}-?\d{2}", text):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is not None:
        return at.timestamp()
    if len(text) <= 10:
        at = datetime.combine(at.date(), MORNING)
    return instant(at, zone)


def _span(text: str, now: float) -> float | None:
    """'in 2 minutes', '1h30m', 'in an hour and 5 min', '2 days from now'."""
    rest = re.sub(r"^in\s+|\s+from now$|^after\s+", "", text)
    total, position = 0.0, 0
    rest = rest.replace(" and ", " ")
    for part in _SPAN_PART.finditer(rest):
        if rest[position : part.start()].strip():
            return None
        amount = _NUMBERS.get(part[1])
        total += (float(part[1]) if amount is None else amount) * _UNITS[part[2][0]]
        position = part.end()
    if position == 0 or rest[position:].strip():
        return None
    if total <= 0:
        return None
    return now + total


def _clock_time(text: str) -> time | None:
    if text in _NAMED_TIMES:
        return _NAMED_TIMES[text]
    found = _CLOCK.fullmatch(text)
    if not found:
        return None
    hour = int(found[1] or found[5])
    minute, second, half = int(found[2] or 0), int(found[3] or 0), found[4] or found[6]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return time(hour, minute, second)


def _day_and_time(text: str, now: float, zone: tzinfo) -> float | None:
    """A day word, a clock time, or both in either order."""
    words = re.sub(r"\b(at|on|in the|this|um)\b", " ", text)
    words = " ".join(words.split())
    today = wall_time(now, zone)
    day: datetime | None = None
    weekly = strictly_later = False
    named = re.search(rf"\b(next )?({'|'.join(d + '|' + d[:3] for d in _DAYS)})\b", words)
    if "day after tomorrow" in words:
        words, day = words.replace("day after tomorrow", " "), today + timedelta(days=2)
    elif re.search(r"\btomorrow\b", words):
        words, day = re.sub(r"\btomorrow\b", " ", words), today + timedelta(days=1)
    elif re.search(r"\btoday\b", words):
        words, day = re.sub(r"\btoday\b", " ", words), today
    elif re.search(r"\bnext week\b", words):
        words, day = re.sub(r"\bnext week\b", " ", words), today + timedelta(days=7)
    elif named:
        index = next(i for i, name in enumerate(_DAYS) if name.startswith(named[2][:3]))
        strictly_later, weekly = bool(named[1]), True
        day = today + timedelta(days=(index - today.weekday()) % 7)
        words = words.replace(named[0], " ", 1)
    rest = " ".join(words.split())
    clock = _clock_time(rest) if rest else None
    if rest and clock is None:
        return None
    if day is None and clock is None:
        return None
    at = instant(datetime.combine((day or today).date(), clock or MORNING), zone)
    if weekly and (at <= now or (strictly_later and day is not None and day.date() == today.date())):
        at = instant(datetime.combine((day or today).date() + timedelta(days=7), clock or MORNING), zone)
    if day is None and at <= now:
        at = instant(datetime.combine(today.date() + timedelta(days=1), clock or MORNING), zone)
    return at


def _by_dateparser(text: str, now: float, zone: tzinfo) -> float | None:
    """What ``dateparser`` reads; ``None`` where it reads nothing by the deadline."""
    found: list[datetime | None] = []
    base = wall_time(now, zone)

    def read() -> None:
        import dateparser  # heavy: only where the rules above do not do

        settings = {"PREFER_DATES_FROM": "future", "RELATIVE_BASE": base, "RETURN_AS_TIMEZONE_AWARE": False}
        found.append(dateparser.parse(text, languages=["en"], settings=settings))

    thread = threading.Thread(target=read, name="dateparser", daemon=True)
    thread.start()
    thread.join(DEADLINE)
    at = found[0] if found else None
    if at is None:
        return None
    if at.tzinfo is not None:
        return at.astimezone(UTC).timestamp()
    if at.time() in (base.time(), time(0)) and not re.search(r"\d[:.]\d|\d\s*[ap]m", text):
        at = datetime.combine(at.date(), MORNING)  # a day without a time
    return instant(at, zone)


def parse_repeat(text: str) -> str:
    """The RRULE that ``text`` (words, or a rule itself) means.

    Raises ``ValueError`` with words and examples; more often than hourly is refused.
    """
    plain = " ".join(text.lower().replace(",", " ").split())
    if "freq=" in plain:
        return check_rule(text.strip())
    if not plain or len(plain) > _LONGEST_TEXT:
        raise ValueError(f"say how often; try {REPEAT_EXAMPLES}")
    plain, suffix = _daily_time(plain)
    rule = _repeat(plain)
    if rule is None:
        raise ValueError(f"{one_line(text, 60)!r} is no rhythm that I understand; try {REPEAT_EXAMPLES}")
    return check_rule(rule + suffix)


def _daily_time(plain: str) -> tuple[str, str]:
    found = re.search(r"\s+at\s+(.+)$", plain)
    clock = _clock_time(found[1]) if found else None
    if not found or clock is None:
        return plain, ""
    return plain[: found.start()], f";BYHOUR={clock.hour};BYMINUTE={clock.minute};BYSECOND=0"


def _repeat(plain: str) -> str | None:
    simple = {
        "hourly": "FREQ=HOURLY",
        "daily": "FREQ=DAILY",
        "weekly": "FREQ=WEEKLY",
        "monthly": "FREQ=MONTHLY",
        "yearly": "FREQ=YEARLY",
        "annually": "FREQ=YEARLY",
        "weekdays": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
        "every weekday": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
        "every workday": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
        "weekends": "FREQ=WEEKLY;BYDAY=SA,SU",
        "every weekend": "FREQ=WEEKLY;BYDAY=SA,SU",
        "every morning": "FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0",
        "every evening": "FREQ=DAILY;BYHOUR=18;BYMINUTE=0;BYSECOND=0",
    }
    if plain in simple:
        return simple[plain]
    if re.search(r"\b(second|seconds|minute|minutes|min|mins|minutely|secondly)\b", plain):
        raise ValueError("a reminder repeats at most once an hour; try 'every hour' or 'daily'")
    counted = re.fullmatch(r"every (?:(\d{1,3}|other) )?(hour|day|week|month|year)s?", plain)
    if counted:
        count = 2 if counted[1] == "other" else int(counted[1] or 1)
        frequency = "DAILY" if counted[2] == "day" else counted[2].upper() + "LY"
        if count < 1:
            return None
        return f"FREQ={frequency}" + (f";INTERVAL={count}" if count > 1 else "")
    days = re.fullmatch(r"(?:every|each|on)?\s*((?:[a-z]+(?: and | )?)+)", plain)
    if days:
        codes = []
        for word in days[1].replace(" and ", " ").split():
            index = next((i for i, n in enumerate(_DAYS) if word in (n, n + "s", n[:3])), None)
            if index is None:
                return None
            codes.append(_CODES[index])
        return f"FREQ=WEEKLY;BYDAY={','.join(dict.fromkeys(codes))}"
    return None
