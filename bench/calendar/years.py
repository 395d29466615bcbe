"""Ten years of a calendar, as a person who has many meetings leaves it: the same at each run.

Of its events six in ten are single ones, a quarter meetings with attendees and a long description, some are whole days,
and the rest are series, mostly weekly, with single times that were moved.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pepper_tui.domains.calendar.objects import CalendarObject, object_id, put_objects
from pepper_tui.store import Store

YEARS: Final = 10
MOVED: Final = 9  # times of a series that were moved: each is an event of its own in the file
TOGETHER: Final = 500  # objects of one unit
ACCOUNT: Final = "cal"
_WORDS: Final = (
    "budget",
    "review",
    "plan",
    "team",
    "notes",
    "agenda",
    "follow",
    "call",
    "customer",
    "release",
    "draft",
)
_ZONE: Final = (
    "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n"
    "BEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n"
    "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\n"
    "BEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n"
    "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
)


def calendar(events: str) -> str:
    """Return a calendar of these events."""
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\n{_ZONE}{events}END:VCALENDAR\r\n"


def objects(count: int, now: float, changed: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the events of ``count`` components, by UID: a series with its moved times is one text.

    They end a year after ``now``. The event in the middle has another title for each ``changed``.
    """
    chance = random.Random(1)
    first = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first -= timedelta(days=365 * (YEARS - 1))
    made = number = 0
    while made < count:
        day = first + timedelta(days=365 * YEARS * made / count)
        kind = chance.random()
        if kind < 0.02 and made + MOVED < count:
            text, parts = _series(number, day, chance), MOVED + 1
        elif kind < 0.26:
            text, parts = _meeting(number, day, chance), 1
        elif kind < 0.32:
            text, parts = _day(number, day), 1
        else:
            title = "again" * changed if made <= count // 2 < made + 1 else ""
            text, parts = _single(number, day, chance, title), 1
        yield _uid(number), text
        made, number = made + parts, number + 1


def in_file(path: Path, count: int, now: float, changed: int = 0) -> None:
    """Write them as one file."""
    path.write_text(calendar("".join(text for _, text in objects(count, now, changed))), newline="")


def in_folder(folder: Path, count: int, now: float) -> None:
    """Write them as a folder in which each event, or series, has a file of its own."""
    folder.mkdir()
    for uid, text in objects(count, now):
        (folder / f"{uid}.ics").write_text(calendar(text), newline="")


async def in_store(store: Store, count: int, now: float) -> None:
    """Store them as the copy of an account's calendar."""
    there = [(uid, calendar(text)) for uid, text in objects(count, now)]
    for at in range(0, len(there), TOGETHER):
        async with store.unit():
            await put_objects(store, [copy_of(uid, text) for uid, text in there[at : at + TOGETHER]])


def copy_of(uid: str, text: str) -> CalendarObject:
    """Return the copy of one object, as a connector stores it."""
    place = f"/calendars/work/{uid}.ics"
    return CalendarObject(object_id(ACCOUNT, place), ACCOUNT, f"{ACCOUNT}/work", place, f'"{hash(text)}"', text, True)


def _uid(number: int) -> str:
    return f"{number:08x}-5f7e-4b9c-a1d2-0123456789ab"


def _head(number: int, when: str, title: str) -> str:
    return (
        f"BEGIN:VEVENT\r\nUID:{_uid(number)}\r\nDTSTAMP:20260101T120000Z\r\nCREATED:20200101T120000Z\r\n"
        f"{when}SUMMARY:{title}\r\n"
    )


def _times(day: datetime, chance: random.Random) -> str:
    start = day + timedelta(hours=chance.randrange(8, 18), minutes=chance.choice((0, 15, 30)))
    end = start + timedelta(minutes=chance.choice((30, 45, 60)))
    return f"DTSTART;TZID=Europe/Berlin:{start:%Y%m%dT%H%M%S}\r\nDTEND;TZID=Europe/Berlin:{end:%Y%m%dT%H%M%S}\r\n"


def _title(chance: random.Random) -> str:
    return " ".join(chance.choices(_WORDS, k=4))


def _single(number: int, day: datetime, chance: random.Random, more: str = "") -> str:
    return (
        f"{_head(number, _times(day, chance), f'{_title(chance)} {number}{more}')}LOCATION:Room {number % 40}\r\n"
        "TRANSP:OPAQUE\r\nSEQUENCE:0\r\nSTATUS:CONFIRMED\r\n"
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\n"
    )


def _meeting(number: int, day: datetime, chance: random.Random) -> str:
    words = "\\n".join(" ".join(chance.choices(_WORDS, k=12)) for _ in range(20))
    people = "".join(
        _folded(
            f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Some Body {who}:"
            f"mailto:body{who}@example.com"
        )
        for who in chance.sample(range(200), 8)
    )
    return (
        f"{_head(number, _times(day, chance), f'{_title(chance)} {number}')}"
        f"{_folded(f'DESCRIPTION:{words}')}LOCATION:https://meet.example.com/{number:x}\r\n"
        f"ORGANIZER;CN=Some Body:mailto:body{number % 200}@example.com\r\n{people}STATUS:CONFIRMED\r\nEND:VEVENT\r\n"
    )


def _day(number: int, day: datetime) -> str:
    when = f"DTSTART;VALUE=DATE:{day:%Y%m%d}\r\nDTEND;VALUE=DATE:{day + timedelta(days=1 + number % 5):%Y%m%d}\r\n"
    return f"{_head(number, when, f'Away {number}')}TRANSP:TRANSPARENT\r\nEND:VEVENT\r\n"


def _series(number: int, day: datetime, chance: random.Random) -> str:
    """Return a weekly series of three years, and the times of it that were moved by an hour."""
    start = day + timedelta(hours=chance.randrange(8, 17))
    until = start + timedelta(days=3 * 365)
    zone, title = ";TZID=Europe/Berlin:", f"{_title(chance)} {number}"
    when = f"DTSTART{zone}{start:%Y%m%dT%H%M%S}\r\nDURATION:PT30M\r\n"
    skipped = f"EXDATE{zone}{start + timedelta(weeks=3):%Y%m%dT%H%M%S}\r\n"
    parts = [f"{_head(number, when, title)}RRULE:FREQ=WEEKLY;UNTIL={until:%Y%m%dT%H%M%SZ}\r\n{skipped}END:VEVENT\r\n"]
    for week in range(10, 10 * (MOVED + 1), 10):
        at = start + timedelta(weeks=week)
        moved = f"RECURRENCE-ID{zone}{at:%Y%m%dT%H%M%S}\r\nDTSTART{zone}{at + timedelta(hours=1):%Y%m%dT%H%M%S}\r\n"
        parts.append(f"{_head(number, f'{moved}DURATION:PT30M{chr(13)}{chr(10)}', title)}END:VEVENT\r\n")
    return "".join(parts)


def _folded(line: str) -> str:
    return "\r\n ".join(line[at : at + 73] for at in range(0, len(line), 73)) + "\r\n"
