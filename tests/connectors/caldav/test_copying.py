"""The copy of an account's calendars in the store, against Radicale: whole, in step with it, and nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.connectors import calendar_copies
from pepper_tui.connectors.caldav import copying
from pepper_tui.connectors.caldav.copying import CHUNK, Copier
from pepper_tui.connectors.caldav.settings import CalDav
from pepper_tui.connectors.caldav.wire import Wire
from pepper_tui.connectors.calendar_copies import HOLD, Copied
from pepper_tui.connectors.http_server import Answer, ServerError
from pepper_tui.domains.calendar.objects import OBJECTS, CalendarObject, object_id, put_objects, sources_of
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore
from tests.connectors.caldav.servers import PASSWORD, USER, Server, event


class Copy:
    """The copy of the account ``cal``."""

    def __init__(self, server: Server, store: ContextStore, clock: ManualClock) -> None:
        self.server, self.store, self.clock = server, store, clock
        self.asked: list[str] = []

    async def look(self, *wanted: str, password: str = PASSWORD, path: str = "") -> Copied:
        settings = CalDav(url=self.server.url + path, user=USER, password="secret:x")
        asked = self.asked = []

        class Counting(Wire):
            async def dav(self, method: str, url: str, body: str, depth: str) -> Answer:
                asked.append(method)
                return await super().dav(method, url, body, depth)

        async with Counting(settings, "cal", password) as wire:
            return await Copier("cal", wanted, self.store, self.clock).look(wire)

    async def there(self) -> dict[str, CalendarObject]:
        """The objects, by file name."""
        found = await self.store.query(ContextFilter(namespaces=[OBJECTS], limit=None))
        objects = CalendarObject.readable(found)
        return {each.place.rpartition("/")[2]: each for each in objects if not each.gone}

    async def updates(self) -> int:
        """How often an object was stored."""
        return sum(context.version for context in await self.store.query(ContextFilter(namespaces=[OBJECTS])))


@pytest.fixture
def copy(server: Server, store: ContextStore, clock: ManualClock) -> Copy:
    server.make("work", "Work & Play")
    server.put("work", "a", event("a", "One"))
    server.put("work", "b", event("b", "Two"))
    return Copy(server, store, clock)


@pytest.mark.parametrize("path", ["", f"{USER}/", f"{USER}/work/"])
async def test_all_that_is_there_is_copied_and_a_look_without_a_change_fetches_nothing(copy: Copy, path: str) -> None:
    assert (await copy.look(path=path)).titles == ["Work & Play"]
    there = await copy.there()
    assert {name: each.first for name, each in there.items()} == {"a.ics": True, "b.ics": True}
    assert {each.calendar for each in there.values()} == {"cal/work-play"}
    assert "SUMMARY:One" in there["a.ics"].text
    assert (await copy.look(path=path)).changed == 0
    assert "REPORT" not in copy.asked
    assert await copy.updates() == 2


async def test_what_comes_changes_and_goes_is_followed(copy: Copy) -> None:
    await copy.look()
    copy.server.put("work", "a", event("a", "One moved", "20270106T100000Z"))
    copy.server.put("work", "c", event("c", "Three"))
    copy.server.remove("work/b.ics")
    assert (await copy.look()).changed == 3
    there = await copy.there()
    assert sorted(there) == ["a.ics", "c.ics"]
    assert "moved" in there["a.ics"].text
    assert not any(each.first for each in there.values())
    assert (await copy.look()).changed == 0


async def test_a_server_that_has_forgotten_how_far_it_was_read_is_compared(copy: Copy) -> None:
    await copy.look()
    copy.server.remove("work/b.ics")
    copy.server.put("work", "c", event("c", "Three"))
    copy.server.forget_marks()
    await copy.look()
    there = await copy.there()
    assert {name: each.first for name, each in there.items()} == {"a.ics": True, "c.ics": False}
    assert await copy.updates() == 4  # two at first, one gone, one new


async def test_a_server_that_cannot_say_what_changed_is_compared_each_time(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    dav = Wire.dav

    async def without(self: Wire, method: str, url: str, body: str, depth: str) -> Answer:
        return Answer(403, url, {}, b"") if "sync-collection" in body else await dav(self, method, url, body, depth)

    monkeypatch.setattr(Wire, "dav", without)
    await copy.look()
    assert sorted(await copy.there()) == ["a.ics", "b.ics"]
    copy.server.remove("work/a.ics")
    copy.server.put("work", "b", event("b", "Two late"))
    assert (await copy.look()).changed == 2
    assert sorted(await copy.there()) == ["b.ics"]
    assert (await copy.look()).changed == 0


@pytest.mark.parametrize(
    ("module", "broken", "at"),
    [(copying, "put_source", 1), (calendar_copies, "put_objects", 2), (copying, "objects", 2)],
)
async def test_a_look_that_breaks_off_costs_a_part_of_it_and_nothing_else(
    copy: Copy, monkeypatch: pytest.MonkeyPatch, module: Any, broken: str, at: int
) -> None:
    for number in range(CHUNK):
        copy.server.put("work", f"n{number}", event(f"n{number}", f"Number {number}"))
    real: Any = getattr(module, broken)
    calls = 0

    async def breaks(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise ServerError("broken off", "")
        return await real(*args)

    monkeypatch.setattr(module, broken, breaks)
    failed = (await copy.look()).failed
    assert [error.words for error in failed.values()] == ["broken off"]
    monkeypatch.undo()
    assert not (await copy.look()).failed
    there = await copy.there()
    assert len(there) == CHUNK + 2
    assert all(each.first for each in there.values())
    assert await copy.updates() == CHUNK + 2


async def test_what_is_added_while_a_calendar_is_read_anew_stays(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    await copy.look()
    copy.server.remove("work/b.ics")
    copy.server.forget_marks()
    changed = copying._changed

    async def then_added(*args: Any) -> Any:
        found = await changed(*args)
        [source] = await sources_of(copy.store, "cal")
        place = f"{source.place}new.ics"
        new = CalendarObject(object_id("cal", place), "cal", source.id, place, "", event("new", "New"))
        async with copy.store.unit():
            await put_objects(copy.store, [new])
        return found

    monkeypatch.setattr(copying, "_changed", then_added)
    await copy.look()
    assert sorted(await copy.there()) == ["a.ics", "new.ics"]


async def test_a_calendar_that_is_no_longer_listed_is_held_for_a_while(copy: Copy) -> None:
    copy.server.make("home", "Home")
    copy.server.put("home", "h", event("h", "Dinner"))
    await copy.look()
    copy.server.remove("home/")
    await copy.look()
    assert "h.ics" in await copy.there()
    await copy.clock.advance(HOLD - 1)
    await copy.look()
    assert "h.ics" in await copy.there()
    await copy.clock.advance(1)
    await copy.look()
    assert sorted(await copy.there()) == ["a.ics", "b.ics"]
    copy.server.make("home", "Home")
    copy.server.put("home", "h", event("h", "Dinner"))
    await copy.look()
    assert (await copy.there())["h.ics"].calendar == "cal/home"


async def test_only_the_calendars_of_the_config_are_read_and_a_wrong_title_is_named(copy: Copy) -> None:
    copy.server.make("home", "Home")
    copy.server.put("home", "h", event("h", "Dinner"))
    await copy.look()
    copied = await copy.look("home", "Choir")
    assert copied.titles == ["Home"]
    assert {title: error.remedy for title, error in copied.failed.items()} == {
        "Choir": "fix calendars in account cal; there are: Home, Work & Play"
    }
    assert sorted(await copy.there()) == ["h.ics"]


async def test_two_calendars_of_one_title_have_ids_of_their_own(copy: Copy) -> None:
    copy.server.make("w2", "Work & Play")
    copy.server.put("w2", "a", event("a", "Another one"))
    await copy.look()
    assert sorted(each.id for each in await sources_of(copy.store, "cal")) == ["cal/work-play", "cal/work-play-2"]
    assert len({each.id for each in CalendarObject.readable(await copy.store.query(ContextFilter([OBJECTS])))}) == 3


async def test_a_wrong_password_is_told_with_the_way_out(copy: Copy) -> None:
    with pytest.raises(ServerError, match="did not accept the user alex") as told:
        await copy.look(password="wrong")
    assert "pepper accounts signin cal" in told.value.remedy
