"""An alarm that the user has set in their own calendar announces its event, once; nobody else's does."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.store import ContextStore
from tests.domains.calendar.followed import ME, Followed, calendar, component
from tests.domains.calendar.one_file import BERLIN, at

NINE = at(16, 9)
"""When the event begins, on Saturday. It is Friday, 09:00."""
MINUTE, HOUR = 60.0, 3600.0


def alarm(*lines: str, action: str = "DISPLAY") -> str:
    return component("VALARM", f"ACTION:{action}", *lines)


def event(*parts: str, uid: str = "a", when: tuple[str, ...] = ("DTSTART:20270116T080000Z", "DURATION:PT1H")) -> str:
    return component("VEVENT", f"UID:{uid}", "SUMMARY:Dentist", *when, *parts)


DAYS = ("DTSTART;VALUE=DATE:20270117", "DURATION:P1D")
WEEKLY = ("DTSTART:20270109T080000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")


@pytest.mark.parametrize(
    ("parts", "when", "rings"),
    [
        ((alarm("TRIGGER:-PT15M"),), None, [NINE - 15 * MINUTE]),
        ((alarm("TRIGGER:PT0S"),), None, [NINE]),
        (
            (alarm("TRIGGER:-P1D"), alarm("TRIGGER;RELATED=START:-PT1H", action="AUDIO")),
            None,
            [NINE - 24 * HOUR, NINE - HOUR],
        ),
        ((alarm("TRIGGER;RELATED=END:-PT5M"),), None, [NINE + 55 * MINUTE]),
        ((alarm("TRIGGER;VALUE=DATE-TIME:20270116T070000Z"),), None, [NINE - HOUR]),
        ((alarm("TRIGGER:-PT15M", action="EMAIL"), alarm("TRIGGER:-PT15M", action="NONE")), None, []),
        ((alarm("TRIGGER:-PT15M", "ACKNOWLEDGED:20270116T074500Z"),), None, []),
        ((alarm("TRIGGER:-PT15M", "ACKNOWLEDGED:20270109T074500Z"),), None, [NINE - 15 * MINUTE]),
        (("X-MOZ-LASTACK:20270116T074600Z", alarm("TRIGGER:-PT15M")), None, []),
        (
            ("X-MOZ-LASTACK:20270116T074600Z", "X-MOZ-SNOOZE-TIME:20270116T075000Z", alarm("TRIGGER:-PT15M")),
            None,
            [NINE - 10 * MINUTE],
        ),
        ((alarm("TRIGGER:-PT15H"),), DAYS, [at(16, 9)]),
        ((alarm("TRIGGER:bogus"), alarm("TRIGGER:-PT15M")), None, [NINE - 15 * MINUTE]),
        ((alarm("TRIGGER:-PT15M", "ACKNOWLEDGED:20270109T074500Z"),), WEEKLY, [NINE - 15 * MINUTE]),
    ],
)
async def test_when_an_alarm_rings(
    tmp_path: Path, parts: tuple[str, ...], when: tuple[str, ...] | None, rings: list[float]
) -> None:
    (tmp_path / "a.ics").write_text(calendar(event(*parts, **({"when": when} if when else {}))), newline="")
    agenda = Agenda([tmp_path / "a.ics"], BERLIN)
    [found] = await agenda.between(at(16, 0), at(18, 0))
    assert found.alarms == rings
    assert any("alarm" in each for each in agenda.defects) == ("bogus" in str(parts))


async def test_an_alarm_announces_its_event_once_and_only_as_it_stands(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "c.ics"
    parts = [
        event(alarm("TRIGGER:-PT2H"), alarm("TRIGGER:-PT10M"), "LOCATION:Main St 5"),
        event(alarm("TRIGGER:-PT3H"), uid="moved"),
        event("STATUS:CANCELLED", alarm("TRIGGER:-PT2H"), uid="off"),
        event(alarm("TRIGGER:-PT30H"), uid="old"),
        event(alarm("TRIGGER:-PT16H"), uid="day", when=DAYS),
        event(alarm("TRIGGER:-PT2H"), uid="series", when=WEEKLY),
        event(uid="none"),
    ]
    path.write_text(calendar(*parts), newline="")
    async with Followed(store, clock, path, starts_soon=10) as desk:
        await desk.looked()
        parts[1] = event(alarm("TRIGGER:-PT3H"), uid="moved", when=("DTSTART:20270118T080000Z", "DURATION:PT1H"))
        desk.write(*parts)
        await desk.pass_to(NINE - 3 * HOUR + 1)
        assert await desk.words("soon") == []
        await desk.pass_to(NINE - 2 * HOUR + 1)
        words = "Starts 09:00: Dentist — Sat 16 Jan"
        assert sorted(await desk.words("soon")) == [words, f"{words}, Main St 5"]
        told = await desk.told("soon")
        assert {(each["priority"], each["reason"]) for each in told} == {("high", "its alarm in your calendar c")}
        await desk.pass_to(NINE - HOUR + 1)
        assert (await desk.words("soon"))[2:] == ["Starts: Dentist — Sun 17 Jan, all day"]
    async with Followed(store, clock, path, starts_soon=10) as desk:  # after a restart
        await desk.looked()
        assert len(await desk.words("soon")) == 3
        await desk.pass_to(NINE - 10 * MINUTE + 1)  # an alarm and starts_soon at once
        assert sorted((await desk.words("soon"))[3:]) == [words] * 3 + [f"{words}, Main St 5"]


async def test_what_rang_while_pepper_was_away_is_told_if_it_is_still_ahead(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "c.ics"
    ahead, begun = event(alarm("TRIGGER:-PT20H"), alarm("TRIGGER:-PT19H")), event(alarm("TRIGGER:-PT1H"), uid="b")
    early = ("DTSTART:20270115T170000Z", "DURATION:PT1H")
    path.write_text(calendar(ahead, begun.replace("20270116T080000Z", early[0][8:])), newline="")
    async with Followed(store, clock, path) as desk:
        await desk.looked()
        await desk.feeds.stop()
    clock.jump(at(15, 20) - clock.now())
    async with Followed(store, clock, path) as desk:
        await desk.looked()
        assert await desk.words("soon") == ["Starts 09:00: Dentist — Sat 16 Jan"]


STRANGER, MINE = "ORGANIZER:mailto:ben@example.com", f"ORGANIZER:mailto:{ME}"


def answer(said: str) -> str:
    return f"ATTENDEE;PARTSTAT={said}:mailto:{ME}"


@pytest.mark.parametrize(
    ("lines", "may_write", "rings"),
    [
        ((), True, True),
        ((), False, False),
        ((MINE, answer("ACCEPTED")), True, True),
        ((STRANGER, answer("NEEDS-ACTION")), True, False),
        ((STRANGER,), True, False),
        ((STRANGER, answer("DECLINED")), True, False),
        ((STRANGER, answer("TENTATIVE")), True, True),
        ((STRANGER, answer("ACCEPTED")), False, False),
    ],
)
async def test_whose_alarms_count(
    store: ContextStore, clock: ManualClock, tmp_path: Path, lines: tuple[str, ...], may_write: bool, rings: bool
) -> None:
    (tmp_path / "c.ics").write_text(calendar(), newline="")
    async with Followed(store, clock, tmp_path / "c.ics") as desk:
        await desk.put(calendar(event(*lines, alarm("TRIGGER:-PT1H"))), may_write=may_write)
        await desk.looked()
        await desk.pass_to(NINE - HOUR + 1)
        assert bool(await desk.words("soon")) is rings


async def test_switched_off_none_rings(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    (tmp_path / "c.ics").write_text(calendar(event(alarm("TRIGGER:-PT1H"))), newline="")
    async with Followed(store, clock, tmp_path / "c.ics", alarms=False) as desk:
        await desk.looked()
        await desk.pass_to(NINE)
        assert await desk.words("soon") == []


async def test_an_alarm_at_a_time_of_its_own_rings_once_for_a_series(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    daily = ("DTSTART:20270114T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    snoozed = event(alarm("TRIGGER;VALUE=DATE-TIME:20270116T075500Z"), when=daily)
    (tmp_path / "c.ics").write_text(calendar(snoozed), newline="")
    async with Followed(store, clock, tmp_path / "c.ics") as desk:
        await desk.looked()
        await desk.pass_to(NINE - 5 * MINUTE + 1)
        assert await desk.words("soon") == ["Starts 09:00: Dentist — Sat 16 Jan"]


async def test_hostile_alarms_cost_only_themselves_and_are_told(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    many = event(*[alarm("TRIGGER:-PT1H")] * 40_000, uid="many")
    early = event(alarm("TRIGGER:-P3650D"), alarm("TRIGGER:-PT2H"), uid="early").replace("Dentist", "Early")
    (tmp_path / "c.ics").write_text(calendar(many, early), newline="")
    async with Followed(store, clock, tmp_path / "c.ics") as desk:
        await desk.looked()
        told = (await desk.health())["detail"]
        assert "c: Dentist: it has more than 20 alarms; the others are left out" in told
        assert "c: Early: an alarm of it is more than 60 days before it, and is left out" in told
        await desk.pass_to(NINE - HOUR + 1)
        assert await desk.words("soon") == ["Starts 09:00: Early — Sat 16 Jan", "Starts 09:00: Dentist — Sat 16 Jan"]


async def test_an_alarm_that_is_dismissed_elsewhere_is_no_change(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "c.ics"
    path.write_text(calendar(event(alarm("TRIGGER:-PT1H"))), newline="")
    async with Followed(store, clock, path) as desk:
        await desk.looked()
        desk.write(event(alarm("TRIGGER:-PT1H", "ACKNOWLEDGED:20270116T090000Z")))
        await desk.pass_to(NINE)
        assert await desk.words("soon", "changed") == []
