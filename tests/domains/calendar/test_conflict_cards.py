"""The card of a conflict stays no longer than the conflict, and comes again with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import parse_config
from pepper_tui.model import OPEN_TAG, ContextFilter, Namespace
from tests.engine.desk import BARE, Desk
from tests.feeds.test_rules import event, ics

ME = "sam@example.com"
START = 1_799_000_000.0 + 86_400
NEAR = START + 900
CONFIG = BARE.replace('zone = "UTC"', f'zone = "UTC"\naddresses = ["{ME}"]') + (
    '[calendar]\npaths = ["c.ics"]\nscan_interval = 5\nstarts_soon = 0\n'
)


class CardDesk(Desk):
    """An engine that reads one file."""

    feeds = True

    def __init__(self, home: Path) -> None:
        super().__init__(home, ManualClock(START - 86_400), CONFIG)
        self.write(event("a", START), event("b", START + 7200))

    def reads(self, *files: str) -> None:
        """Have the config name these files from the next start on."""
        paths = ", ".join(f'"{each}"' for each in files)
        self.config = parse_config(CONFIG.replace('"c.ics"', paths), self.home / "config.toml")

    def write(self, *events: str) -> None:
        (self.home / "c.ics").write_text(ics(*events))

    async def open_cards(self) -> list[str]:
        wanted = ContextFilter(namespaces=[Namespace.NOTIFICATION], tags=[OPEN_TAG], newest_first=False)
        return [one.data["title"] for one in await self.engine.store.query(wanted)]

    async def shows(self, *titles: str) -> None:
        async def shown() -> bool:
            return [each.partition(" — ")[0] for each in await self.open_cards()] == [*titles]

        await self.until(shown, step=1.0)

    async def cancelled(self, title: str) -> bool:
        """Whether it was told that this event is cancelled."""
        rows = await self.rows("signals.calendar")
        return any(row["content"].startswith(f"Cancelled: {title}") and row["priority"] == "normal" for row in rows)

    async def closed(self) -> list[str]:
        """What the log says was closed, without the title."""
        return [row["words"].partition(":")[0] for row in await self.rows(Namespace.UNDO)]

    async def why(self) -> list[str]:
        """What is told of the newest signal of a conflict."""
        found = await self.engine.store.query(ContextFilter(namespaces=["signals.calendar"]))
        ref = next(f"{one.namespace}:{one.context_id}" for one in found if one.data["metadata"]["kind"] == "conflict")
        return await self.engine.why(ref)

    async def looked(self) -> None:
        """Wait until a first look has ended, whose conflicts are no news."""

        async def well() -> bool:
            return "2 events" in [row["detail"] for row in await self.rows(Namespace.HEALTH)]

        await self.until(well, step=1.0)


CARD = "Conflict: Sync a and Sync b"


@pytest.mark.parametrize(
    ("after", "why"),
    [
        ([event("b", START + 7200)], "“Sync b” was moved"),
        ([event("b", NEAR, "\r\nSTATUS:CANCELLED")], "“Sync b” was cancelled"),
        ([event("b", NEAR, f"\r\nATTENDEE;PARTSTAT=DECLINED:mailto:{ME}")], "you declined “Sync b”"),
        ([event("b", NEAR, "\r\nTRANSP:TRANSPARENT")], "“Sync b” is marked as free"),
        ([], "“Sync b” was cancelled"),
    ],
)
async def test_it_ends_with_the_reason_and_comes_again(tmp_path: Path, after: list[str], why: str) -> None:
    broken = "UID:z\r\nSUMMARY:Broken\r\nDTSTART:never"  # another event that can't be read keeps no card
    async with CardDesk(tmp_path) as desk:
        await desk.looked()
        desk.write(event("a", START), event("b", NEAR))
        await desk.shows(CARD)
        desk.write(event("a", START), *after, broken)
        await desk.shows()
        assert await desk.closed() == [f"closed, as {why}"]
        [told] = [line for line in await desk.why() if line.strip().startswith(f"its card “{CARD}")]
        assert told.endswith(f", as {why}")
        await desk.restart()
        desk.write(event("a", START), event("b", NEAR))
        await desk.shows(CARD)


async def test_it_ends_when_the_time_is_over(tmp_path: Path) -> None:
    async with CardDesk(tmp_path) as desk:
        await desk.looked()
        desk.write(event("a", START), event("b", NEAR))
        await desk.shows(CARD)
        await desk.clock.advance(START + 1790 - desk.clock.now())
        await desk.shows(CARD)
        await desk.shows()
        assert await desk.closed() == ["closed, as it is over"]


async def test_two_conflicts_of_one_event_are_two_cards(tmp_path: Path) -> None:
    async with CardDesk(tmp_path) as desk:
        await desk.looked()
        desk.write(event("a", START), event("c", START + 60), event("d", START + 120))
        await desk.until(desk.open_cards, step=1.0)
        await desk.shows("Conflict: Sync a and Sync c", "Conflict: Sync a and Sync d", "Conflict: Sync c and Sync d")
        desk.write(event("a", START + 7200), event("c", START + 60), event("d", START + 120))
        await desk.shows("Conflict: Sync c and Sync d")


async def test_a_path_that_the_config_no_longer_names_cancels_nothing(tmp_path: Path) -> None:
    async with CardDesk(tmp_path) as desk:
        await desk.looked()
        (tmp_path / "d.ics").write_text(ics(event("d", NEAR)))
        desk.reads("c.ics", "d.ics")
        await desk.restart()
        await desk.shows("Conflict: Sync a and Sync d")
        desk.reads("c.ics")
        await desk.restart()
        await desk.shows()
        assert await desk.closed() == ["closed, as a calendar of them is no longer read"]
        told = [row for row in await desk.rows("signals.calendar") if row["content"].startswith("Cancelled")]
        assert [row["priority"] for row in told] == ["log"]
        desk.write(event("a", START))
        await desk.until(lambda: desk.cancelled("Sync b"), step=1.0)
