"""Two events at once: a signal, once, true when it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Calendar, Config
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.conflicts import MAX_CONFLICTS, conflicts_among
from pepper_tui.domains.calendar.event import Event
from pepper_tui.domains.calendar.feed import CalendarFeed
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore
from tests.feeds.ruled import triage_of
from tests.feeds.test_rules import BERLIN, event, ics
from tests.feeds.test_supervision import Running
from tests.waiting import until

ME = "me@example.org"
CONFIG = Config.model_validate(
    {
        "user": {"addresses": [ME]},
        "watch": [{"name": "board", "words": ["board"], "priority": "urgent", "notify": True}],
    }
)


class Desk(Running):
    """A calendar feed over one file."""

    def __init__(self, store: ContextStore, clock: ManualClock, path: Path) -> None:
        self.path, self.clock, self._marks = path, clock, 0
        calendar = Calendar(paths=[path], scan_interval=60, starts_soon=0)
        super().__init__(store, clock, CalendarFeed(calendar, triage_of(CONFIG), Agenda([path], BERLIN, [ME])))

    async def write(self, *events: str, told: bool = True) -> None:
        """Put ``events`` into the file, and return when the feed has looked at them, to the end, and (``told``) has
        told all that came of it: an event more, far away, is seen by one look, and another by the next."""
        for _ in range(2):
            self._marks += 1
            mark = f"mark{self._marks}"
            self.path.write_text(ics(*events, event(mark, 1_803_000_000.0 + self._marks * 3600)))
            await self._pass_until(lambda mark=mark: self._is_there("raw.calendar", mark))
        if told:
            await self._pass_until(lambda: self._is_there("signals.calendar", mark))

    async def _pass_until(self, there: Callable[[], Awaitable[bool]]) -> None:
        async def passed() -> bool:
            await self.clock.advance(20)
            return await there()

        await until(passed, 20)

    async def _is_there(self, namespace: str, mark: str) -> bool:
        found = await self.store.query(ContextFilter(namespaces=[namespace], limit=500))
        return any((one.data.get("uid") or one.data.get("metadata", {}).get("uid")) == mark for one in found)

    async def signals_of_events(self) -> list[dict[str, Any]]:
        """All signals but those of the events that only mark a look."""
        found = await self.store.query(ContextFilter(namespaces=["signals.calendar"], newest_first=False, limit=500))
        return [one.data for one in found if not str(one.data["metadata"].get("uid", "")).startswith("mark")]

    async def conflicts(self) -> list[dict[str, Any]]:
        return [one for one in await self.signals_of_events() if one["metadata"]["kind"] == "conflict"]


async def test_a_conflict_is_told_once_and_again_when_it_comes_back(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "c.ics"
    start = clock.now() + 86400
    path.write_text(ics(event("a", start), event("old", start + 60), event("b", start + 7200)))
    async with Desk(store, clock, path) as desk:
        await desk.becomes("ok")
        a, b = event("a", start), event("b", start + 7200)
        await desk.write(a, b)
        [backlog] = await desk.conflicts()
        assert backlog["priority"] == "log"
        near = event("b", start + 900)
        await desk.write(a, near)
        await desk.write(a, near, event("c", start + 9000))
        await desk.write(a, near)
        [_, told] = await desk.conflicts()
        assert told["priority"] == "normal"
        assert told["reason"] == "two events in your calendar overlap"
        assert told["content"] == "Conflict: Sync a and Sync b — Sat 16 Jan 09:15–09:30"
        await desk.write(a, b)
        await desk.write(a, near)
        assert len(await desk.conflicts()) == 3


@pytest.mark.parametrize(
    "more",
    [
        "\r\nSTATUS:CANCELLED",
        "\r\nTRANSP:TRANSPARENT",
        "\r\nX-MICROSOFT-CDO-BUSYSTATUS:FREE",
        f"\r\nATTENDEE;PARTSTAT=DECLINED:mailto:{ME.upper()}",
    ],
)
async def test_what_takes_no_time_conflicts_with_nothing(
    store: ContextStore, clock: ManualClock, tmp_path: Path, more: str
) -> None:
    path = tmp_path / "c.ics"
    start = clock.now() + 86400
    day = "UID:d\r\nSUMMARY:Holiday\r\nDTSTART;VALUE=DATE:20270116"
    copy = event("copy", start).replace("Sync copy", "Sync a")
    path.write_text(ics(event("a", start)))
    async with Desk(store, clock, path) as desk:
        await desk.becomes("ok")
        await desk.write(event("a", start), event("b", start, more), day, copy, event("after", start + 1800))
        assert await desk.conflicts() == []
        declined_by_another = "\r\nATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.org"
        await desk.write(event("a", start), event("b", start, declined_by_another))
        assert len(await desk.conflicts()) == 1


async def test_two_series_that_meet_each_week_are_one_conflict(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "c.ics"
    start = clock.now() + 86400
    weekly = "\r\nRRULE:FREQ=WEEKLY"
    path.write_text(ics(event("a", start, weekly)))
    async with Desk(store, clock, path) as desk:
        await desk.becomes("ok")
        await desk.write(event("a", start, weekly), event("board", start + 60, weekly))
        for _ in range(20):
            await clock.advance(86400)
            await asyncio.sleep(0.01)
        [told] = await desk.conflicts()
        assert told["priority"] == "urgent", "a rule of the user's holds for it"
        assert [match["acts"] for match in told["metadata"]["rules"]] == [["notify"]]


async def test_a_conflict_that_is_over_before_it_is_told_is_no_news(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    """The file is read once more when the signal is made: what was seen may have been moved since."""
    path = tmp_path / "c.ics"
    start = clock.now() + 86400
    path.write_text(ics(event("a", start)))
    desk = Desk(store, clock, path)
    desk.feeds.start()  # the source alone; what it stores waits
    try:
        await desk.becomes("ok")
        await desk.write(event("a", start), event("b", start), told=False)
        assert await store.count(ContextFilter(namespaces=["raw.calendar"], types=["conflict"])) == 1
    finally:
        await desk.feeds.stop()
    path.write_text(ics(event("a", start), event("b", start + 7200)))
    desk.feeds.listen()
    await desk.subscriber.start()
    try:

        async def told() -> bool:
            return bool(await desk.conflicts())

        await until(told)
        [signal] = await desk.conflicts()
        assert (signal["priority"], signal["reason"]) == ("log", "they no longer overlap")
    finally:
        await desk.subscriber.stop()


async def test_what_pepper_added_is_no_news(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    path = tmp_path / "c.ics"
    start = clock.now() + 86400
    path.write_text(ics(event("a", start)))
    await store.store({"id": "mine", "beside": ["a"]}, namespace="calendar.added", context_id="mine")
    async with Desk(store, clock, path) as desk:
        await desk.becomes("ok")
        await desk.write(event("a", start), event("mine", start))
        found = await desk.signals_of_events()
        assert {one["priority"] for one in found} == {"log"}
        assert len(found) == 3
        await desk.write(event("a", start), event("mine", start), event("late", start + 60))
        assert [one["priority"] for one in await desk.conflicts()] == ["log", "normal", "normal"]


@pytest.mark.parametrize("count", [30, 60, 3000])
def test_what_one_calendar_piles_up_hides_no_conflict_of_another(count: int) -> None:
    heap = [Event(f"{n}", f"{n}", n * 0.001, 10_000.0, calendar="shared") for n in range(count)]
    own = [
        Event("a", "Dentist", 5_000.0, 7_000.0, calendar="own"),
        Event("b", "Call", 6_000.0, 8_000.0, calendar="own"),
    ]
    found = conflicts_among([*heap, *own])
    assert found.cut
    assert [one for one in found if {one.first.uid, one.second.uid} == {"a", "b"}]
    assert not conflicts_among(own).cut


def test_many_at_once_are_bounded() -> None:
    heap = [Event(f"{n}", f"{n}", n * 0.001, 10_000.0, calendar="c") for n in range(5000)]
    assert len(conflicts_among(heap)) == MAX_CONFLICTS
    copies = [Event(f"{n}", "the same", 0.0, 10_000.0, calendar="c") for n in range(5000)]
    assert conflicts_among(copies) == []


async def test_that_not_all_overlaps_were_looked_at_is_told_as_health(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    start = clock.now() + 86_400
    path = tmp_path / "c.ics"
    path.write_text(ics(*(event(f"u{number}", start) for number in range(60))))
    async with Desk(store, clock, path) as desk:
        health = await desk.becomes("trouble")
        assert "not all are reported" in health["detail"]
