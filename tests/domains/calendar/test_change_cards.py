"""The card of a change: which event it means is asked by key, and it stands only as long as the event is as it was."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.model import ContextFilter, Notification
from tests.domains.calendar.test_conflict_cards import NEAR, START, CardDesk
from tests.engine.desk import calls
from tests.feeds.test_rules import event

LATER = START + 7200


class ChangeDesk(CardDesk):
    """Two events, and a model that moves one of them."""

    async def asked(self) -> Notification | None:
        return next(iter(await self.questions()), None)

    async def withdrawn(self) -> list[str]:
        return [row["decision_note"] for row in await self.rows("approval") if row["state"] == "withdrawn"]

    async def versions(self, title: str, count: int) -> bool:
        """Whether the event of that title was stored ``count`` times."""
        found = await self.engine.store.query(ContextFilter(namespaces=["raw.calendar"], types=["event"]))
        return any(one.data["summary"] == title and one.version == count for one in found)

    async def moved(self) -> list[str]:
        return [row["state"] for row in await self.rows("tool.call") if row["state"] == "succeeded"]


async def test_which_of_several_is_asked_and_only_what_it_changes_ends_a_card(tmp_path: Path) -> None:
    move = ("change_event", {"event": "sync", "start": "2027-01-06 10:00"})
    async with ChangeDesk(tmp_path) as desk:
        await desk.looked()
        await desk.says("move sync to wednesday at 10", calls(move))
        question = await desk.until(desk.asked)
        assert [one["words"].partition("”")[0] for one in question.choices] == ["“Sync a", "“Sync b"]
        await desk.engine.choose(f"notification:{question.id}", 2)
        card = await desk.card()
        assert card.resolved.summary == "Move Sync b in c"

        desk.write(event("a", START + 60), event("b", LATER))  # another program moves the other one
        await desk.until(lambda: desk.versions("Sync a", 2), step=1.0)
        assert await desk.withdrawn() == []
        await desk.engine.approve(card.id)
        await desk.until(desk.moved, step=1.0)
        assert "20270106T100000" in (tmp_path / "c.ics").read_text()


async def test_a_change_of_what_has_changed_meanwhile_is_withdrawn(tmp_path: Path) -> None:
    move = ("change_event", {"event": "sync b", "start": "2027-01-06 10:00"})
    async with ChangeDesk(tmp_path) as desk:
        await desk.looked()
        await desk.says("move sync b to wednesday at 10", calls(move))
        await desk.card()
        desk.write(event("a", START), event("b", NEAR + 3600))
        assert await desk.until(desk.withdrawn, step=1.0) == ["“Sync b” was changed meanwhile"]
