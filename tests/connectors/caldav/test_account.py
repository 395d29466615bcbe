"""An account at a CalDAV server in a whole engine: what changed there is told, once, and answered from."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import Health, Namespace
from pepper_tui.setup.accounts.desk import AccountDesk
from tests.connectors.caldav.servers import PASSWORD, USER, Server, event, running
from tests.engine.desk import BARE, Desk, calls

CONFIG = (
    BARE
    + """[[account]]
id = "cal"
kind = "caldav"
url = "{url}"
user = "alex"
password = "secret:cal"
scan_interval = 60
"""
)


class CalendarDesk(Desk):
    """An engine with feeds, whose account is as ``text`` says, with one secret."""

    feeds = True

    def __init__(self, home: Path, clock: ManualClock, text: str, secret: str) -> None:
        (home / "config.toml").write_text(text)
        (home / "secrets.toml").write_text(f"{secret}\n")
        (home / "secrets.toml").chmod(0o600)
        super().__init__(home, clock, text)

    async def signals(self) -> list[str]:
        """Content and priority of the calendar's signals."""
        return [f"{row['priority']}: {row['content']}" for row in await self.rows("signals.calendar")]

    async def answer(self, name: str, number: int) -> str:
        """What the call of that tool has given, by its number from 1."""

        async def there() -> bool:
            return len(await self.results(name)) >= number

        await self.until(there)
        return (await self.results(name))[number - 1].content

    async def health(self, part: str) -> str:
        """State and words of a part."""
        found = Health.one(await self.engine.store.get(part, namespace=Namespace.HEALTH))
        return f"{found.state}: {found.detail}" if found else ""


def at_server(home: Path, clock: ManualClock, server: Server) -> CalendarDesk:
    """An engine whose account is at ``server``."""
    return CalendarDesk(home, clock, CONFIG.format(url=server.url), f"cal = '{PASSWORD}'")


@pytest.fixture
async def desk(tmp_path: Path, server: Server) -> AsyncIterator[CalendarDesk]:
    server.make("work", "Work")
    server.put("work", "a", event("a", "Standup"))
    async with at_server(tmp_path, ManualClock(1_799_000_000.0), server) as one:  # 2027-01-03T14:53:20Z

        async def looked() -> bool:
            return bool(await one.signals())

        await one.until(looked)
        yield one


async def test_the_first_look_is_silent_and_each_change_is_told_once(desk: CalendarDesk, server: Server) -> None:
    assert await desk.signals() == ["log: New event: Standup — Tue 05 Jan 10:00"]
    server.put("work", "b", event("b", "Review", "20270107T130000Z"))
    server.put("work", "a", event("a", "Standup", "20270105T120000Z"))

    async def told(count: int) -> bool:
        return len(await desk.signals()) >= count

    await desk.until(lambda: told(3), step=1.0)
    assert sorted((await desk.signals())[1:]) == [
        "normal: Moved: Standup — Tue 05 Jan 12:00 (was 10:00)",
        "normal: New event: Review — Thu 07 Jan 13:00",
    ]
    server.remove("work/b.ics")
    await desk.until(lambda: told(4), step=1.0)
    await desk.restart()
    await desk.clock.advance(200)
    await desk.says("what is on", calls(("agenda", {"start": "2027-01-05", "days": 3})))
    result = await desk.result("agenda")
    assert "12:00–13:00: Standup" in result.content
    assert "Review" not in result.content
    assert (await desk.signals())[3:] == ["normal: Cancelled: Review — Thu 07 Jan 13:00"]


async def test_an_account_that_is_added_later_is_no_news(tmp_path: Path, server: Server) -> None:
    server.make("work", "Work")
    (tmp_path / "own.ics").write_text(event("own", "Own"))
    clock = ManualClock(1_799_000_000.0)
    desk = at_server(tmp_path, clock, server)
    config = desk.config
    desk.config = config.model_copy(
        update={"account": [], "calendar": config.calendar.model_copy(update={"paths": [tmp_path / "own.ics"]})}
    )

    async def told(count: int) -> bool:
        return len(await desk.signals()) >= count

    async with desk:
        await desk.until(lambda: told(1))
        server.put("work", "a", event("a", "Standup"))
        desk.config = desk.config.model_copy(update={"account": config.account})
        await desk.restart()
        await desk.until(lambda: told(2))
        assert all(each.startswith("log: ") for each in await desk.signals())


async def test_a_server_that_goes_is_told_and_what_came_meanwhile_comes_once(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    (home := tmp_path / "home").mkdir()
    with running(folder) as server:
        server.make("work", "Work")
        server.put("work", "a", event("a", "Standup"))
        desk = at_server(home, ManualClock(1_799_000_000.0), server)
        await desk.__aenter__()

        async def told(count: int) -> bool:
            return len(await desk.signals()) >= count

        await desk.until(lambda: told(1))
    try:

        async def troubled() -> bool:
            return (await desk.health("feed.cal")).startswith("trouble: the calendar server 127.0.0.1")

        await desk.until(troubled, step=1.0)
        await desk.says("what is on", calls(("agenda", {"start": "2027-01-05", "days": 3})))
        lines = (await desk.result("agenda")).content.splitlines()
        assert "Standup" in lines[0]
        old = re.match(r"cal: as of (\d\d:\d\d), the calendar server 127\.0\.0\.1:\d+ can't be reached", lines[-1])
        assert old, lines
        await desk.clock.advance(1)
        restarted = desk.clock.now()
        await desk.restart()

        async def troubled_again() -> bool:
            found = Health.one(await desk.engine.store.get("feed.cal", namespace=Namespace.HEALTH))
            return found is not None and found.state == "trouble" and found.at >= restarted

        await desk.until(troubled_again, step=1.0)
        await desk.says("am I free", calls(("find_free_time", {"start": "tomorrow"}), ("find_conflicts", {})))
        for name in ("find_free_time", "find_conflicts"):
            assert re.search(r"\ncal: as of \d\d:\d\d, the calendar server", (await desk.result(name)).content)
        with running(folder, server.port) as again:
            again.put("work", "b", event("b", "Review"))
            await desk.until(lambda: told(2), step=1.0)

            async def well() -> bool:
                return (await desk.health("feed.cal")).startswith("ok: ")

            await desk.until(well, step=1.0)
            assert len(await desk.signals()) == 2
            await desk.says("what is on", calls(("agenda", {"start": "2027-01-06"})))
            assert await desk.answer("agenda", 2) == "Nothing on Wed 6 Jan 2027."
    finally:
        await desk.engine.close()


async def test_the_accounts_screen_lists_tests_and_pauses_it(tmp_path: Path, server: Server) -> None:
    server.make("work", "Work")
    at_server(tmp_path, ManualClock(time.time()), server)
    accounts = AccountDesk(tmp_path)
    [row] = await accounts.rows()
    assert row.words == f"caldav · {USER} · 127.0.0.1:{server.port}"
    [found] = await accounts.test("cal")
    assert (found.state, found.detail) == ("ok", "1 calendar: Work")
    await accounts.pause("cal", True)
    assert [each.paused for each in await accounts.rows()] == [True]


async def test_an_answer_names_the_calendar_where_there_are_several(tmp_path: Path, server: Server) -> None:
    server.make("work", "Work")
    server.put("work", "a", event("a", "Standup"))
    async with at_server(tmp_path, ManualClock(1_799_000_000.0), server) as desk:

        async def told(count: int) -> bool:
            return len(await desk.signals()) >= count

        asked = calls(("agenda", {"start": "2027-01-05"}))

        await desk.until(lambda: told(1))
        await desk.says("what is on", asked)
        assert await desk.answer("agenda", 1) == "Tue 5 Jan 2027, 10:00–11:00: Standup"
        server.make("home", "Home")
        server.put("home", "b", event("b", "Dentist", "20270105T120000Z"))
        await desk.until(lambda: told(2), step=1.0)
        await desk.says("what is on", asked)
        lines = ("10:00–11:00: Standup [work]", "12:00–13:00: Dentist [home]")
        assert await desk.answer("agenda", 2) == "\n".join(f"Tue 5 Jan 2027, {line}" for line in lines)


async def test_what_an_account_that_was_removed_has_left_is_neither_shown_nor_told(
    tmp_path: Path, server: Server
) -> None:
    server.make("work", "Work")
    server.put("work", "a", event("a", "Standup"))
    (tmp_path / "own.ics").write_text(event("own", "Own"))
    desk = at_server(tmp_path, ManualClock(1_799_000_000.0), server)
    paths = desk.config.calendar.model_copy(update={"paths": [tmp_path / "own.ics"]})
    desk.config = desk.config.model_copy(update={"calendar": paths})

    async def told(count: int) -> bool:
        return len(await desk.signals()) >= count

    async with desk:
        await desk.until(lambda: told(3), step=1.0)  # and their conflict
        desk.config = desk.config.model_copy(update={"account": []})
        await desk.restart()
        await desk.until(lambda: told(4), step=1.0)
        assert (await desk.signals())[3] == "log: Cancelled: Standup — Tue 05 Jan 10:00"
        await desk.says("what is on", calls(("agenda", {"start": "2027-01-05"})))
        assert (await desk.result("agenda")).content == "Tue 5 Jan 2027, 10:00–11:00: Own"
