"""A UID that another calendar's event bears, too, changes nothing of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Calendar, Config
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.conflicts import conflicts_among
from pepper_tui.domains.calendar.feed import CalendarFeed
from pepper_tui.domains.calendar.shelf import HOLD
from pepper_tui.model import ContextFilter, Json
from pepper_tui.store import ContextStore
from tests.feeds.ruled import triage_of
from tests.feeds.test_rules import BERLIN, ics
from tests.feeds.test_supervision import Running
from tests.waiting import until

START = 1_803_000_000.0


def event(uid: str, start: float, title: str) -> str:
    at = datetime.fromtimestamp(start, UTC)
    return f"UID:{uid}\r\nSUMMARY:{title}\r\nDTSTART:{at:%Y%m%dT%H%M%SZ}\r\nDURATION:PT30M"


class Desk(Running):
    """A calendar feed over the user's own calendar and one that a stranger writes."""

    def __init__(self, store: ContextStore, clock: ManualClock, folder: Path) -> None:
        self.own, self.shared, self.clock = folder / "own.ics", folder / "shared.ics", clock
        self.own.write_text(ics())
        self.shared.write_text(ics())
        self.agenda = Agenda([self.own, self.shared], BERLIN)
        calendar = Calendar(paths=[self.own, self.shared], scan_interval=60, starts_soon=0)
        super().__init__(store, clock, CalendarFeed(calendar, triage_of(Config()), self.agenda))

    async def told(self, content: str) -> Json:
        """The signal whose words begin so, once it is there."""
        found: list[Json] = []

        async def there() -> bool:
            await self.clock.advance(20)
            signals = await self.store.query(ContextFilter(namespaces=["signals.calendar"], limit=500))
            found[:] = [each.data for each in signals if each.data["content"].startswith(content)]
            return bool(found)

        await until(there, 20)
        return found[0]


@pytest.fixture
async def desk(store: ContextStore, clock: ManualClock, tmp_path: Path) -> Any:
    async with Desk(store, clock, tmp_path) as desk:
        await until(lambda: store.get("events", namespace="feed.calendar"))
        yield desk


async def test_an_event_with_the_uid_of_another_calendars_is_a_matter_of_its_own(desk: Desk) -> None:
    desk.own.write_text(ics(event("u", START, "Board")))
    own = await desk.told("New event: Board")
    desk.shared.write_text(ics(event("u", START + 7200, "Bored")))
    other = await desk.told("New event: Bored")
    assert other["matter"] != own["matter"]
    desk.shared.write_text(ics())
    gone = await desk.told("Cancelled: Bored")
    assert gone["matter"] == other["matter"]
    desk.own.write_text(ics(event("u", START + 3600, "Board")))
    moved = await desk.told("Moved: Board")
    assert moved["matter"] == own["matter"]


async def test_a_copy_is_of_the_same_matter_until_it_differs(desk: Desk) -> None:
    desk.own.write_text(ics(event("u", START, "Board")))
    own = await desk.told("New event: Board")
    desk.shared.write_text(ics(event("u", START, "Board"), event("mark", START + 90_000, "Mark")))
    await desk.told("New event: Mark")
    signals = await desk.store.query(ContextFilter(namespaces=["signals.calendar"], limit=500))
    copies = [each.data for each in signals if "Board" in each.data["content"]]
    assert len(copies) == 2
    assert {each["matter"] for each in copies} == {own["matter"]}
    desk.shared.write_text(ics(event("u", START, "Board off")))
    assert (await desk.told("Changed: Board off"))["matter"] != own["matter"]


async def test_a_uid_of_another_calendar_hides_no_conflict(desk: Desk) -> None:
    desk.own.write_text(ics(event("u", START, "Board")))
    desk.shared.write_text(ics(event("u", START + 600, "Trip")))
    assert len(conflicts_among(await desk.agenda.between(START - 1, START + 7200))) == 1
    desk.shared.write_text(ics(event("u", START, "Busy")))  # a copy that hides its title
    assert conflicts_among(await desk.agenda.between(START - 1, START + 7200)) == []


async def test_what_pepper_added_to_one_calendar_hides_nothing_in_another(desk: Desk) -> None:
    added: Json = {"id": "u", "call": "c", "at": 0.0, "beside": [], "calendar": "own"}
    await desk.store.store(added, namespace="calendar.added", context_id="u")
    desk.shared.write_text(ics(event("u", START, "Trip")))
    assert (await desk.told("New event: Trip"))["priority"] == "normal"
    desk.own.write_text(ics(event("u", START, "Board")))
    assert (await desk.told("New event: Board"))["priority"] == "log"


async def test_an_export_that_gives_each_event_another_uid_tells_nothing(desk: Desk) -> None:
    shifts = [("Early", START), ("Early", START), ("Late", START + 7200)]

    async def loud() -> list[str]:
        found = await desk.store.query(ContextFilter(namespaces=["signals.calendar"], limit=500))
        return sorted(each.data["content"].partition(" —")[0] for each in found if each.data["priority"] != "log")

    desk.own.write_text(ics(*(event(f"a{at}", start, title) for at, (title, start) in enumerate(shifts))))
    await desk.told("New event: Late")
    desk.own.write_text(ics(*(event(f"b{at}", start, title) for at, (title, start) in enumerate(shifts))))
    desk.shared.write_text(ics(event("u", START + 9000, "Mark")))
    await desk.told("New event: Mark")
    news = ["New event: Early", "New event: Early", "New event: Late", "New event: Mark"]
    assert [each for each in await loud() if "Conflict" not in each] == news
    desk.own.write_text(ics(event("c0", START, "Early")))

    async def cancelled() -> bool:
        await desk.clock.advance(20)
        return [each for each in await loud() if "Conflict" not in each] == [
            "Cancelled: Early",
            "Cancelled: Late",
            *news,
        ]

    await until(cancelled, 20)


async def test_a_file_that_is_away_for_a_moment_cancels_nothing_and_later_it_does(desk: Desk) -> None:
    text = ics(event("u", START, "Board"))
    desk.own.write_text(text)
    await desk.told("New event: Board")
    before = await desk.store.count(ContextFilter(namespaces=["signals.calendar"]))
    desk.own.rename(desk.own.with_suffix(".tmp"))
    await desk.agenda.events()
    assert desk.agenda.is_unread("own", "u")
    desk.own.write_text(text)
    desk.shared.write_text(ics(event("m", START + 9000, "Mark")))
    await desk.told("New event: Mark")
    assert await desk.store.count(ContextFilter(namespaces=["signals.calendar"])) == before + 1


@pytest.mark.parametrize("back", [True, False])
async def test_a_file_of_a_folder_that_vanishes_is_held_for_a_while(tmp_path: Path, back: bool) -> None:
    clock = ManualClock()
    folder = tmp_path / "vdir"
    folder.mkdir()
    (folder / "u.ics").write_text(ics(event("u", START, "Board")))
    agenda = Agenda([folder], BERLIN, clock=clock)
    assert len(await agenda.events()) == 1
    (folder / "u.ics").rename(tmp_path / "u")
    assert await agenda.events() == []
    assert agenda.is_unread("u", "u")
    listed = agenda.listed
    if back:
        (tmp_path / "u").rename(folder / "u.ics")
    await clock.advance(HOLD)
    assert len(await agenda.events()) == back
    assert not agenda.is_unread("u", "u")
    assert agenda.listed != listed
