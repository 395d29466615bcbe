"""The countdown to the next event, in the status line: from a row of the store, and at no cost in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.calendar.telling.next_event import ID, NextEvent
from pepper_tui.model import Namespace
from pepper_tui.ui.screen.status import StatusLine
from pepper_tui.ui.shared.countdown import ahead
from tests.connectors.caldav.test_account import CalendarDesk
from tests.engine.desk import BARE
from tests.feeds.test_rules import event, ics
from tests.ui.fake_engine import T0, FakeEngine
from tests.ui.seat import seat, until

HOUR = 3600.0


@pytest.mark.parametrize(
    ("left", "said", "wait"),
    [
        (30, "in 1 min", 30),
        (60, "in 1 min", 60),
        (61, "in 2 min", 1),
        (12 * 60, "in 12 min", 60),
        (HOUR, "in 1 h", 60),
        (2 * HOUR + 600, "in 2 h 10 min", 60),
        (3 * HOUR, "in 3 h", 60),
        (5 * HOUR, "", 2 * HOUR),  # nothing to show yet: one timer, for the moment when there is
        (0, "", None),
        (-60, "", None),
    ],
)
def test_words_change_once_a_minute_and_only_when_it_is_near(left: float, said: str, wait: float | None) -> None:
    assert ahead(NextEvent(summary="Standup", start=T0 + left), T0) == (("Standup" if said else "", said), wait)


@pytest.mark.parametrize(
    ("size", "words"), [((80, 24), "A very long titl… in 12 min"), ((120, 34), "A very long title in")]
)
async def test_the_line_counts_down_and_draws_nothing_else(
    size: tuple[int, int], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(engine: FakeEngine) -> None:
        engine.put(Namespace.NEXT_EVENT, NextEvent(summary="A very long title", start=T0 + 12 * 60), ID)

    async with seat(prepare, size=size) as (app, pilot, engine, clock):
        line = app.query_one(StatusLine)
        await until(lambda: words[:14] in line.line(size[0]).plain, pilot)
        assert "F1 help" in line.line(size[0]).plain
        drawn = list[object]()
        monkeypatch.setattr(app.projection, "draw", drawn.append)
        await clock.advance(60)
        app.projection._count_down()  # what the timer calls
        assert "11 min" in line.line(size[0]).plain or "10 min" in line.line(size[0]).plain
        assert drawn == []
        monkeypatch.undo()
        engine.put(Namespace.NEXT_EVENT, NextEvent(), ID)
        await until(lambda: "min" not in line.line(size[0]).plain, pilot)


async def test_the_row_is_written_only_where_another_event_is_next(tmp_path: Path) -> None:
    clock = ManualClock(1_799_000_000.0)
    start = clock.now() + 2 * HOUR
    free = event("free", start - HOUR, "\r\nTRANSP:TRANSPARENT")
    path = tmp_path / "c.ics"
    path.write_text(ics(event("a", start), event("b", start + HOUR), free))
    text = f'{BARE}[calendar]\npaths = ["{path}"]\nscan_interval = 60\nstarts_soon = 0\n'
    async with CalendarDesk(tmp_path, clock, text, "x = '1'") as desk:

        async def version() -> int:
            found = await desk.engine.store.get(ID, namespace=Namespace.NEXT_EVENT)
            return found.version if found else 0

        async def is_next(summary: str) -> bool:
            found = await desk.engine.store.get(ID, namespace=Namespace.NEXT_EVENT)
            return bool(found and found.data["summary"] == summary)

        await desk.until(lambda: is_next("Sync a"))
        await clock.advance(HOUR)
        assert await version() == 1
        path.write_text(ics(event("a", start + 2 * HOUR), event("b", start + HOUR)))
        await desk.until(lambda: is_next("Sync b"), step=1.0)
        await clock.advance(start + HOUR + 1 - clock.now())
        await desk.until(lambda: is_next("Sync a"), step=1.0)
        await clock.advance(HOUR)
        await desk.until(lambda: is_next(""), step=1.0)
        assert await version() == 4
