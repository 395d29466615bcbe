"""What is ordered in the list of days: each order ends in the card of the tool that does it, on a real calendar."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.model import EngineError, Namespace, Origin, Reminder, Written
from tests.domains.calendar.test_conflict_cards import ME, START, CardDesk
from tests.engine.desk import calls
from tests.feeds.test_rules import event

DAY = "2027-01-04"
BY_BEN = f"\r\nORGANIZER;CN=Ben Ort:mailto:ben@example.org\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{ME}"


class Days(CardDesk):
    """An event of the user's, a series, and one that somebody else asks to."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.write(
            event("a", START),
            event("s", START + 3600, "\r\nRRULE:FREQ=DAILY;COUNT=5"),
            event("x", START + 7200, BY_BEN),
        )

    def write_todos(self, *named: str) -> None:
        """Have the file hold to-dos, each a UID and the day on which it is due."""
        todos = (each.split(":") for each in named)
        self.write(*(f"UID:{uid}\r\nSUMMARY:Do {uid}\r\nDUE;VALUE=DATE:{day}" for uid, day in todos))
        path = self.home / "c.ics"
        path.write_text(path.read_text().replace("VEVENT", "VTODO"))

    async def ordered(self, act: str, ref: str = "a", said: str = "") -> str:
        """The summary of the card that an order ends in."""
        await self.engine.order_event(act, ref, DAY, Written.by(said, Origin.TYPED))
        return (await self.card()).resolved.summary

    async def looked_at(self) -> None:
        await self.until(lambda: self.rows("signals.calendar"), step=1.0)

    async def forgotten(self) -> bool:
        return any(row["state"] == "cancelled" for row in await self.rows(Namespace.REMINDER))


@pytest.mark.parametrize(
    ("act", "ref", "said", "summary"),
    [
        ("move", "a", "2027-01-05 10:00", "Move Sync a in c"),
        ("rename", "a", "Dinner", "Change Sync a in c"),
        ("cancel", "a", "", "Cancel Sync a in c"),
        ("cancel", "s", "", "Cancel Sync s in c"),
        ("cancel_all", "s", "", "Cancel Sync s in c"),
        ("new", "", "lunch with Ann 5 jan 12:30", "Add to c.ics: lunch with Ann, Tue 5 Jan 2027, 12:30–13:30 (UTC)"),
    ],
)
async def test_an_order_ends_in_its_card(tmp_path: Path, act: str, ref: str, said: str, summary: str) -> None:
    async with Days(tmp_path) as desk:
        assert await desk.ordered(act, ref, said) == summary


async def test_days_hold_events_and_what_can_be_done_with_them(tmp_path: Path) -> None:
    async with Days(tmp_path) as desk:
        page = await desk.engine.days(DAY, 2)
        assert [
            (each.title, each.day, each.repeats, each.asks, each.organizer, each.notes) for each in page.entries
        ] == [
            ("Sync a", DAY, False, False, "", []),
            ("Sync s", DAY, True, False, "", []),
            ("Sync x", DAY, False, True, "Ben Ort (ben@example.org)", ["not answered"]),
            ("Sync s", "2027-01-05", True, False, "", []),
        ]
        assert (page.left_out, (await desk.engine.days("tuesday")).first) == ([], "2027-01-05")
        await desk.looked_at()
        assert "New event: Sync a" in (await desk.engine.why("event:a"))[0]
        assert await desk.engine.why("event:nobody") == ["nothing was told of this event"]
        for act, said in (("new", "tea"), ("move", " ")):
            with pytest.raises(EngineError, match=r"say what and when|nothing was written"):
                await desk.ordered(act, "a", said)


async def test_todos_are_on_their_days_overdue_ones_on_today(tmp_path: Path) -> None:
    async with Days(tmp_path) as desk:
        desk.write_todos("OLD:20261231", "TAX:20270104", "LATER:20270105")
        page = await desk.engine.days("today", 2)
        assert [(each.kind, each.ref, each.day, each.notes) for each in page.entries if each.kind == "todo"] == [
            ("todo", "OLD", "2027-01-03", ["to-do", "overdue"]),
            ("todo", "TAX", DAY, ["to-do"]),
        ]
        assert (await desk.ordered("done", "OLD")) == "Mark Do OLD as done in c"
        assert await desk.engine.why("todo:OLD") == ["nothing was told of this to-do"]


async def test_a_reminder_is_cancelled_at_once(tmp_path: Path) -> None:
    async with Days(tmp_path) as desk:
        await desk.says("remind me", calls(("remind", {"text": "call Ann", "when": "2027-01-05 09:00"})))
        [waiting] = await desk.until(lambda: desk.rows(Namespace.REMINDER))
        await desk.engine.order_event("forget", Reminder.of(waiting).id, DAY, Written(""))
        await desk.until(desk.forgotten)
