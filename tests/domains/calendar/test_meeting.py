"""What one needs to be at an event in time: its link, with whose it is, and the time before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.meeting.joining import joined_at
from pepper_tui.domains.calendar.meeting.link import is_place
from pepper_tui.domains.calendar.meeting.spacing import Spacing
from pepper_tui.store import ContextStore
from tests.domains.calendar.followed import Followed, calendar, component
from tests.domains.calendar.one_file import BERLIN, OneFile, at, said
from tests.tools.bench import Bench

ZOOM, MEET = "https://us02web.zoom.us/j/123?pwd=a.b", "https://meet.google.com/abc-defg-hij"
SAFE = "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fteams.microsoft.com%2Fl%2Fmeet%3Fx%3D1&data=5"


def event(uid: str, hour: int, minute: int = 0, *lines: str) -> str:
    start = f"DTSTART;TZID=Europe/Berlin:20270118T{hour:02}{minute:02}00"
    return component("VEVENT", f"UID:{uid}", f"SUMMARY:{uid}", start, "DURATION:PT30M", *lines)


@pytest.mark.parametrize(
    ("lines", "link"),
    [
        ((), ""),
        ((f"CONFERENCE;VALUE=URI;FEATURE=VIDEO:{MEET}",), MEET),
        (("CONFERENCE;VALUE=URI;FEATURE=PHONE:tel:+491234", f'CONFERENCE;FEATURE="AUDIO,VIDEO":{ZOOM}'), ZOOM),
        ((f"X-GOOGLE-CONFERENCE:{MEET}", "LOCATION:Room 1"), MEET),
        (("X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.microsoft.com/l/x",), "https://teams.microsoft.com/l/x"),
        ((f"LOCATION:{ZOOM}",), ZOOM),
        ((f"LOCATION:Room 1 or {ZOOM}",), ZOOM),
        ((f"DESCRIPTION:See https://docs.example/x\\nJoin: <{ZOOM}>.",), ZOOM),
        ((f"DESCRIPTION:Join {SAFE}",), "https://teams.microsoft.com/l/meet?x=1"),
        (("LOCATION:https://video.example.org/room",), "https://video.example.org/room"),
        (("URL:https://example.org/event",), "https://example.org/event"),
        (("URL:https://example.org/event", f"DESCRIPTION:{MEET}"), MEET),
        (("DESCRIPTION:https://docs.example/x",), ""),
        (("DESCRIPTION:https://notzoom.us/j/1 https://zoom.us.example/j/1",), ""),
        (("LOCATION:https://meet.google.com@evil.example/abc",), ""),
        (("LOCATION:https://z\u043e\u043em.us/j/1",), "https://xn--zm-fmca.us/j/1"),
        (("LOCATION:https://\u6f22\u5b57.example/\U0001f600?\u0633=1",), "https://xn--p8s937b.example/%F0%9F%98%80?%D8%B3=1"),
        (("CONFERENCE:https://call.element.io/room/#/a?p=1",), "https://call.element.io/room/#/a?p=1"),
        (("CONFERENCE:javascript:alert(1)", "URL:file:///etc/passwd"), ""),
    ],
)  # fmt: skip
async def test_where_an_event_can_be_joined(tmp_path: Path, lines: tuple[str, ...], link: str) -> None:
    (tmp_path / "a.ics").write_text(calendar(event("a", 10, 0, *lines)), newline="")
    agenda = Agenda([tmp_path / "a.ics"], BERLIN)
    [found] = await agenda.events()
    assert (found.link, agenda.defects) == (link, [])


def test_a_look_alike_shows_as_what_it_is() -> None:
    assert joined_at("https://zoom.us.join.example/j/1") == "(join.example) https://zoom.us.join.example/j/1"
    assert joined_at(ZOOM) == f"(zoom.us) {ZOOM}"


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("", False), (ZOOM, False), ("Microsoft Teams Meeting", False), ("Zoom", False), ("online", False),
        (f"Google Meet: {MEET}", False), ("Main St 5", True), ("Room 4; Microsoft Teams Meeting", True),
        (f"Café Kö\n{ZOOM}", True), ("...", False),
    ],
)  # fmt: skip
def test_what_is_a_place(location: str, place: bool) -> None:
    assert is_place(location) is place


async def test_the_agenda_gives_links_where_they_are_asked_for(bench: Bench, calendar: OneFile) -> None:
    calendar.write(calendar_of(event("a", 10, 0, f"LOCATION:{ZOOM}"), event("b", 12, 0, "LOCATION:Room 1")))
    plain = await said(bench, "agenda", start="2027-01-18")
    assert "join" not in plain
    assert (await said(bench, "agenda", start="2027-01-18", links=True)).splitlines() == [
        f"Mon 18 Jan 2027, 10:00–10:30: a, {ZOOM}; join (zoom.us) {ZOOM}",
        "Mon 18 Jan 2027, 12:00–12:30: b, Room 1",
    ]


calendar_of = calendar
"""The fixture of the same name is a file."""


async def test_an_event_is_told_with_its_link_and_the_time_to_get_there(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "c.ics"
    text = calendar(
        event("call", 10, 0, f"LOCATION:{ZOOM}"), event("dentist", 12, 0, "LOCATION:Main St 5"), event("x", 14)
    )
    path.write_text(text, newline="")
    async with Followed(store, clock, path, starts_soon=10, travel=30, buffer=5) as desk:
        await desk.looked()
        for hour, minute, told in ((9, 44, 0), (9, 46, 1), (11, 19, 1), (11, 21, 2), (13, 44, 2), (13, 46, 3)):
            await desk.pass_to(at(18, hour, minute))
            assert len(await desk.words("soon")) == told, (hour, minute)
        call, dentist, plain = await desk.told("soon")
        assert call["content"] == "Starts 10:00: call — Mon 18 Jan, join at zoom.us"
        assert call["metadata"]["link"] == ZOOM
        assert call["metadata"]["text"] == f"Join: (zoom.us) {ZOOM}"
        assert dentist["metadata"]["text"] == "Where: Main St 5\nLeave by 11:30: 30 minutes to get there"
        assert "text" not in plain["metadata"]


TOO_CLOSE = [
    (("LOCATION:Main St 5",), ("LOCATION:Other St 1",), 30, 0, True),
    (("LOCATION:Main St 5",), ("LOCATION:main st  5",), 30, 0, False),
    (("LOCATION:Main St 5",), (f"LOCATION:{ZOOM}",), 30, 0, False),
    (("LOCATION:Main St 5",), (f"LOCATION:{ZOOM}",), 30, 15, True),
    ((), (), 0, 10, False),
    ((), (), 0, 11, True),
    ((), (), 0, 0, False),
    ((), ("TRANSP:TRANSPARENT",), 0, 30, False),
]


@pytest.mark.parametrize(("one", "other", "travel", "buffer", "close"), TOO_CLOSE)
async def test_what_is_too_close(
    bench: Bench, calendar: OneFile, one: tuple[str, ...], other: tuple[str, ...], travel: int, buffer: int, close: bool
) -> None:
    calendar.write(calendar_of(event("a", 10, 0, *one), event("b", 10, 40, *other)))
    bench.parts.calendar.agenda = Agenda([calendar.path], BERLIN, spacing=Spacing(travel, buffer))
    told = await said(bench, "find_conflicts")
    assert (" is too close to Mon 18 Jan 2027, 10:40–11:10: b" in told) is close
    assert ("Nothing overlaps" in told) is not close


async def test_too_close_is_told_as_such_and_ends_with_its_reason(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "c.ics"
    path.write_text(calendar(), newline="")
    async with Followed(store, clock, path, buffer=15) as desk:
        await desk.looked()
        desk.write(event("a", 10), event("b", 10, 30))
        await desk.looked()
        [told] = await desk.told("conflict")
        words = "Mon 18 Jan until 10:30, 10:30 the next; you want 15 minutes between"
        assert told["content"] == f"Too close: a and b — {words}"
        assert (told["priority"], told["reason"]) == ("normal", "two events in your calendar are too close")
        desk.write(event("a", 10), event("b", 10, 45))
        await desk.looked()
        [over] = [each.data for each in await desk.overlaps() if each.data["gone"]]
        assert over["why"] == "“b” was moved"


async def test_what_was_close_before_the_wish_is_not_told(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "c.ics"
    path.write_text(calendar(event("a", 10), event("b", 10, 40)), newline="")
    async with Followed(store, clock, path) as desk:
        await desk.looked()
        assert await desk.told("conflict") == []
    async with Followed(store, clock, path, buffer=15) as desk:
        await desk.looked()
        [quiet] = await desk.told("conflict")
        assert quiet["priority"] == "log"
        desk.write(event("a", 10), event("b", 10, 40), event("c", 11, 20))
        await desk.looked()
        assert [each["priority"] for each in await desk.told("conflict")] == ["log", "normal"]
