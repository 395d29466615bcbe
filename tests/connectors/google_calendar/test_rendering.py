"""Events of Google's as the agenda reads them: every field where it belongs, and no stranger's text beyond its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.connectors.google_calendar.descriptions import plain
from pepper_tui.connectors.google_calendar.own_events import own_id
from pepper_tui.connectors.google_calendar.rendering import Seen, vevent
from pepper_tui.connectors.google_calendar.series import merged, parts_of, text_of
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.event import Event

ALEX = "alex@example.com"
OWN = Seen(ALEX)
BASE = {
    "id": "abcde", "etag": '"1"', "iCalUID": "abcde@google.com", "status": "confirmed", "summary": "Standup",
    "updated": "2027-01-01T10:00:00.000Z",
    "start": {"dateTime": "2027-01-05T10:00:00+01:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2027-01-05T11:00:00+01:00", "timeZone": "Europe/Berlin"},
}  # fmt: skip
GUESTS = [
    {"email": "alias@example.com", "self": True, "responseStatus": "declined", "displayName": 'Alex "A" Doe'},
    {"email": "ann@example.com", "responseStatus": "accepted", "organizer": True},
    {"email": "room@resource.calendar.google.com", "resource": True, "responseStatus": "accepted"},
    {"email": "bob@example.com", "optional": True},
    {"id": "17", "displayName": "Nobody"},
]


async def read(tmp_path: Path, seen: Seen, *events: dict[str, Any]) -> list[Event]:
    """The events as written, as the agenda of a user with ``ALEX`` reads them."""
    parts = {each["id"]: vevent(each, seen) for each in events}
    (tmp_path / "a.ics").write_text(text_of(merged({}, parts, events[0]["id"], whole=True)), newline="")
    agenda = Agenda([tmp_path / "a.ics"], ZoneInfo("Europe/Berlin"), [ALEX], ManualClock())
    found = await agenda.events()
    assert agenda.defects == []
    return found


async def test_each_field_is_where_the_agenda_looks_for_it(tmp_path: Path) -> None:
    more = {
        "location": "Room 1; left", "description": "First,\nsecond", "attendees": GUESTS, "status": "tentative",
        "organizer": {"email": "ann@example.com", "displayName": "Ann"},
    }  # fmt: skip
    [event] = await read(tmp_path, OWN, {**BASE, **more})
    assert (event.summary, event.location, event.description) == ("Standup", "Room 1; left", "First,\nsecond")
    assert (event.status, event.organizer, event.zone) == ("TENTATIVE", "ann@example.com", "Europe/Berlin")
    assert event.attendees == [ALEX, "ann@example.com", "room@resource.calendar.google.com", "bob@example.com"]
    assert (event.answer, event.busy) == ("declined", False)
    assert (event.start, event.end) == (1_799_139_600.0, 1_799_143_200.0)
    meet = {"entryPointType": "video", "uri": "https://meet.google.com/abc"}
    phone = {"entryPointType": "phone", "uri": "tel:+49123"}
    [called] = await read(tmp_path, OWN, {**BASE, "conferenceData": {"entryPoints": [phone, meet]}})
    [hung] = await read(tmp_path, OWN, {**BASE, "hangoutLink": "https://meet.google.com/xyz"})
    assert (called.link, hung.link, event.link) == ("https://meet.google.com/abc", "https://meet.google.com/xyz", "")


async def test_on_a_calendar_of_somebody_else_self_is_not_the_user(tmp_path: Path) -> None:
    [event] = await read(tmp_path, Seen.of(ALEX, "ann@example.com", "reader"), {**BASE, "attendees": GUESTS})
    assert (event.attendees[0], event.answer, event.busy) == ("alias@example.com", "", True)


@pytest.mark.parametrize(
    ("more", "busy", "title", "categories"),
    [
        ({}, True, "Standup", []),
        ({"transparency": "transparent"}, False, "Standup", []),
        ({"eventType": "workingLocation", "transparency": "opaque"}, False, "Standup", ["working location"]),
        ({"eventType": "birthday"}, False, "Standup", ["birthday"]),
        ({"eventType": "outOfOffice"}, True, "Standup", ["out of office"]),
        ({"eventType": "focusTime"}, True, "Standup", ["focus time"]),
        ({"eventType": "fromGmail"}, True, "Standup", []),
        ({"summary": "", "visibility": "private"}, True, "Busy", []),
    ],
)
async def test_what_takes_time_and_what_it_is(
    tmp_path: Path, more: dict[str, Any], busy: bool, title: str, categories: list[str]
) -> None:
    [event] = await read(tmp_path, Seen.of(ALEX, "team@example.com", "reader"), {**BASE, **more})
    assert (event.busy, event.summary, event.categories) == (busy, title, categories)


@pytest.mark.parametrize(
    ("start", "written"),
    [
        ({"date": "2027-01-05"}, "DTSTART;VALUE=DATE:20270105"),
        ({"dateTime": "2027-01-05T10:00:00Z", "timeZone": "Asia/Kolkata"}, "DTSTART;TZID=Asia/Kolkata:20270105T153000"),
        ({"dateTime": "2027-01-05T10:00:00+01:00"}, "DTSTART:20270105T090000Z"),
        ({"dateTime": "2027-01-05T10:00:00+01:00", "timeZone": "Mars/Olympus"}, "DTSTART:20270105T090000Z"),
        ({"dateTime": "2027-01-05T10:00:00+01:00", "timeZone": "a/" * 5000}, "DTSTART:20270105T090000Z"),
        ({"dateTime": "2027-01-05T10:00:00", "timeZone": "Asia/Tokyo"}, "DTSTART;TZID=Asia/Tokyo:20270105T100000"),
        # the second time that the clocks show half past two
        ({"dateTime": "2027-10-31T02:30:00+01:00", "timeZone": "Europe/Berlin"}, "DTSTART:20271031T013000Z"),
        ({"dateTime": "2027-10-31T02:30:00+02:00", "timeZone": "Europe/Berlin"},
         "DTSTART;TZID=Europe/Berlin:20271031T023000"),
    ],
)  # fmt: skip
def test_a_time_keeps_its_zone_and_its_instant(start: dict[str, str], written: str) -> None:
    assert written in vevent({**BASE, "start": start, "end": start}, OWN).split("\r\n")


@pytest.mark.parametrize(
    ("more", "links"),
    [
        ({"hangoutLink": "https://meet.google.com/a"}, ["CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://meet.google.com/a"]),
        (
            {"hangoutLink": "https://meet.google.com/a", "conferenceData": {"entryPoints": [
                {"entryPointType": "video", "uri": "https://zoom.example/1"},
                {"entryPointType": "phone", "uri": "tel:+49-30-1"},
                {"entryPointType": "more", "uri": "https://tel.meet/x"}]}},
            ["CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://zoom.example/1",
             "CONFERENCE;VALUE=URI;FEATURE=PHONE:tel:+49-30-1"],
        ),
        ({"hangoutLink": "https://meet.google.com/a\r\nSTATUS:CANCELLED"}, []),
    ],
)  # fmt: skip
def test_its_conference_is_told(more: dict[str, Any], links: list[str]) -> None:
    told = vevent({**BASE, **more}, OWN).split("\r\n")
    assert [line for line in told if line.startswith(("CONFERENCE", "STATUS:CAN"))] == links


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("Tea for < 3, a<b and <3", "Tea for < 3, a<b and <3"),
        ("Tom &amp; Jerry", "Tom &amp; Jerry"),
        ("<p>Join <b>now</b>:</p><ul><li>one</li><li>two &amp; three</li></ul>", "Join now:\n- one\n- two & three"),
        ('See <a href="https://x.example/a?b=1&amp;c=2">the plan</a>.', "See the plan (https://x.example/a?b=1&c=2)."),
        ('<a href="https://x.example/">https://x.example/</a><br>Bye', "https://x.example/\nBye"),
        ("<html-blob>a<br><br><br><br>b</html-blob>", "a\n\nb"),
    ],
)
def test_a_description_is_text(said: str, text: str) -> None:
    assert plain(said) == text


EVIL = "x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\nBEGIN:VEVENT\nUID:evil\u2028STATUS:CANCELLED\x0bBEGIN:VEVENT"


async def test_no_text_of_a_stranger_goes_beyond_its_own_line(tmp_path: Path) -> None:
    person = {"email": f"a@b.example{EVIL}", "displayName": f'"{EVIL}'}
    strange = dict.fromkeys(("summary", "location", "description", "iCalUID", "etag"), EVIL)
    event = {**BASE, **strange, "attendees": [person], "organizer": person}
    part = vevent(event, OWN)
    assert part.count("\r\nBEGIN:VEVENT\r\n") + part.count("\nBEGIN:VEVENT\r\n") == 0
    text = text_of(merged({}, {"abcde": part}, "abcde", whole=True))
    assert list(parts_of(text)) == ["abcde"]
    [found] = await read(tmp_path, OWN, event)
    assert found.status == "CONFIRMED"
    for wrong in ("STATUS:CANCELLED", "BEGIN:VEVENT", "END:VEVENT"):
        told = merged(parts_of(text), {"abcde": vevent({**BASE, "summary": wrong}, OWN)}, "abcde", whole=False)
        assert f"SUMMARY:{wrong}" in told["abcde"]
        assert parts_of(text_of(told)) == told


@pytest.mark.parametrize(
    "more",
    [
        {"start": {}}, {"start": {"dateTime": "tomorrow"}}, {"start": {"dateTime": "0001-01-01T00:00:00+14:00"}},
        {"recurrence": ["RRULE:FREQ=DAILY\nSUMMARY:x"]}, {"recurrence": ["DTSTART:20270101"]},
        {"recurringEventId": "b"},
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, OverflowError)):
        vevent({**BASE, **more}, OWN)


async def test_the_occurrences_of_a_series_are_those_that_google_means(tmp_path: Path) -> None:
    series = {**BASE, "recurrence": ["RRULE:FREQ=DAILY;COUNT=5", "EXDATE;TZID=Europe/Berlin:20270106T100000"]}
    moved = {
        **BASE, "id": "abcde_20270107T090000Z", "recurringEventId": "abcde", "summary": "Late",
        "originalStartTime": {"dateTime": "2027-01-07T09:00:00Z"},  # told in another zone than the series'
        "start": {"dateTime": "2027-01-07T15:00:00+01:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2027-01-07T16:00:00+01:00", "timeZone": "Europe/Berlin"},
    }  # fmt: skip
    off = {
        "id": "abcde_20270108T090000Z", "recurringEventId": "abcde", "status": "cancelled",
        "originalStartTime": {"dateTime": "2027-01-08T10:00:00+01:00", "timeZone": "Europe/Berlin"},
    }  # fmt: skip
    await read(tmp_path, OWN, series, moved, off)
    agenda = Agenda([tmp_path / "a.ics"], ZoneInfo("Europe/Berlin"), [ALEX], ManualClock())
    found = await agenda.between(1_799_100_000.0, 1_799_600_000.0)
    begins = [1_799_139_600.0, 1_799_139_600.0 + 2 * 86400 + 5 * 3600, 1_799_139_600.0 + 4 * 86400]
    assert [(one.start, one.summary) for one in found] == [
        (begins[0], "Standup"), (begins[1], "Late"), (begins[2], "Standup"),
    ]  # fmt: skip


def test_a_uid_of_peppers_counts_only_on_the_event_whose_id_is_made_of_it() -> None:
    private = {"extendedProperties": {"private": {"pepperUid": "pepper-1"}}}
    assert "UID:pepper-1" in vevent({**BASE, **private, "id": own_id("pepper-1")}, OWN).split("\r\n")
    assert "UID:abcde@google.com" in vevent({**BASE, **private}, OWN).split("\r\n")
