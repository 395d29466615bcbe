"""Calendar servers that end or go silent, each in turn, while the others go on: nothing is lost or comes twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import CallState
from tests.connectors.caldav.test_account import CalendarDesk
from tests.engine.desk import BARE, calls
from tests.living.calendars import SECRETS, AtGoogle, CalendarServer, Published, Radicale

Failure = Literal["killed", "silent"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_799_000_000.0)  # 2027-01-03T14:53:20Z


@pytest.fixture
def servers(tmp_path: Path, clock: ManualClock) -> Iterator[list[CalendarServer]]:
    (tmp_path / "home").mkdir(mode=0o700)
    found: list[CalendarServer] = [
        Radicale(tmp_path / "server"),
        Published(),
        AtGoogle(tmp_path / "home", clock.now),
    ]
    for number, each in enumerate(found):
        each.add(f"old {each.ident}", 1 + 10 * number)
    yield found
    for each in found:
        each.kill()


class Told(CalendarDesk):
    """An engine with all of the accounts."""

    async def loud(self) -> list[str]:
        """The titles of the events that were told as news, in the order of their days."""
        said = [each for each in await self.signals() if not each.startswith("log: ")]
        return sorted(each.partition("event: ")[2].partition(" — ")[0] or each for each in said)

    async def until_loud(self, *titles: str, maybe: str = "") -> None:
        """Wait until these are told, and nothing else but ``maybe``: a look that was under way may still see it."""
        wanted = sorted(titles)

        async def told() -> bool:
            return set(wanted) <= set(await self.loud())

        await self.until(told, step=5.0)
        assert [each for each in await self.loud() if each != maybe or each in wanted] == wanted

    async def until_health(self, ident: str, begin: str) -> None:
        async def so() -> bool:
            return (await self.health(f"feed.{ident}")).startswith(begin)

        await self.until(so, step=5.0)

    async def adds(self, title: str, calendar: str) -> None:
        """The user has Pepper add an event, and says yes; it is tried."""
        day = "2027-03-01" if calendar == "Work" else "2027-03-02"
        call = ("add_event", {"title": title, "start": f"{day} 10:00", "calendar": calendar})
        await self.says("add it", calls(call))
        card = await self.card()
        await self.engine.approve(card.id)
        ended = (CallState.SUCCEEDED, CallState.FAILED, CallState.UNKNOWN)

        async def tried() -> bool:
            found = [each for each in await self.calls("add_event") if each.approval == card.id]
            return bool(found) and found[0].state in ended

        await self.until(tried, step=1.0)

    async def settles(self, server: CalendarServer, title: str) -> None:
        """The user answers what is asked about the event, and asks anew for what did not happen, until it is there."""

        async def known() -> bool:
            for call in await self.calls("add_event"):
                if call.state is CallState.UNKNOWN:
                    await self.engine.answer_unknown(call.id, "check")
            for card in await self.rows("approval"):
                if card["state"] == "pending":
                    await self.engine.approve(card["id"])
            return (await self.calls("add_event"))[-1].state in (CallState.SUCCEEDED, CallState.FAILED)

        await self.until(known, step=1.0)
        while title not in server.titles():
            await self.adds(title, server.own)
            await self.until(known, step=1.0)
        for _ in range(20):
            await self.clock.advance(5.0)
        assert server.titles().count(title) == 1


@pytest.mark.parametrize("how", ["killed", "silent"])
async def test_each_fails_in_turn_and_what_changes_meanwhile_comes_once(
    tmp_path: Path, clock: ManualClock, servers: list[CalendarServer], how: Failure
) -> None:
    accounts = [f'[[account]]\nid = "{each.ident}"\nscan_interval = 60\ntimeout = 2.0\n' for each in servers]
    text = BARE + "".join(head + each.account for head, each in zip(accounts, servers, strict=True))
    expected: list[str] = []
    async with Told(tmp_path / "home", clock, text, SECRETS) as desk:
        for each in servers:
            await desk.until_health(each.ident, "ok")

        async def looked() -> bool:
            return len(await desk.signals()) == len(servers)

        await desk.until(looked, step=1.0)
        for number, broken in enumerate(servers):
            day, its_day = 3 + number, 3 + 11 * number
            others = [each for each in servers if each is not broken]
            port = broken.road.port
            if how == "killed":
                broken.kill()
            else:
                broken.road.open_hole()
                broken.add(f"{day} while silent at {broken.ident}", its_day)
            await desk.until_health(broken.ident, "trouble")
            for each in others:
                each.add(f"{day} meanwhile at {each.ident}", day + 10 * servers.index(each))
                expected.append(f"{day} meanwhile at {each.ident}")
            await desk.until_loud(*expected, maybe=f"{day} while silent at {broken.ident}")
            assert [(await desk.health(f"feed.{each.ident}"))[:2] for each in others] == ["ok", "ok"]
            if broken.own:
                await desk.adds(f"own {day}", broken.own)
                assert f"own {day}" not in broken.titles()
            if how == "killed":
                broken.start(port)
                broken.add(f"{day} since then at {broken.ident}", its_day)
                expected.append(f"{day} since then at {broken.ident}")
            else:
                broken.road.close_hole()
                expected.append(f"{day} while silent at {broken.ident}")
            await desk.until_loud(*expected)
            await desk.until_health(broken.ident, "ok")
            if broken.own:
                await desk.settles(broken, f"own {day}")
        await desk.restart()
        for each in servers:
            await desk.until_health(each.ident, "ok")
        await desk.clock.advance(200)
        assert await desk.loud() == sorted(expected)
