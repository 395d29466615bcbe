"""A calendar feed over a file of the user's, and over what an account may have copied."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from pepper_tui.clock import ManualClock
from pepper_tui.config import Calendar, Config
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.feed import CalendarFeed
from pepper_tui.domains.calendar.objects import CalendarObject, CalendarSource, ObjectReader, put_objects, put_source
from pepper_tui.model import Context, ContextFilter, Json
from pepper_tui.store import ContextStore
from tests.domains.calendar.one_file import BERLIN
from tests.feeds.ruled import triage_of
from tests.feeds.test_supervision import Running
from tests.waiting import until

ME = "me@example.org"
CONFIG = Config.model_validate({"user": {"addresses": [ME]}})
_looks = count(1)


def calendar(*parts: str) -> str:
    """A calendar of these components, each its lines from BEGIN to END."""
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *parts, "END:VCALENDAR", ""])


def component(kind: str, *lines: str) -> str:
    return "\r\n".join([f"BEGIN:{kind}", *lines, f"END:{kind}"])


class Followed(Running):
    """``settings`` are those of ``[calendar]``. ``async with`` it."""

    def __init__(self, store: ContextStore, clock: ManualClock, path: Path, **settings: Any) -> None:
        self.path, self.clock = path, clock
        given = Calendar(**{"paths": [path], "scan_interval": 60, "starts_soon": 0, **settings})
        agenda = Agenda([path], BERLIN, [ME], clock, objects=ObjectReader(store))
        super().__init__(store, clock, CalendarFeed(given, triage_of(CONFIG), agenda))

    def write(self, *parts: str) -> None:
        self.path.write_text(calendar(*parts), newline="")

    async def put(self, text: str, *, may_write: bool, first: bool = False) -> None:
        """Let an account's calendar hold ``text``."""
        await put_source(self.store, CalendarSource("acc/x", "acc", "/x/", "x", may_write=may_write))
        await put_objects(self.store, [CalendarObject("object_1", "acc", "acc/x", "/x/1", "1", text, first)])

    async def looked(self) -> None:
        """Return once the feed has looked again, and has told all that came of the look before."""
        mark = f"look{next(_looks)}"
        for name in (f"{mark}a", f"{mark}b"):
            text = calendar(component("VEVENT", f"UID:{name}", "DTSTART:20300101T000000Z"))
            await put_source(self.store, CalendarSource("acc/looks", "acc", "/l/", "looks"))
            await put_objects(self.store, [CalendarObject(name, "acc", "acc/looks", f"/l/{name}", "1", text)])

            async def seen(name: str = name) -> bool:
                await self.clock.advance(1)
                found = await self.store.query(ContextFilter(namespaces=["signals.calendar"], limit=500))
                return any(each.data["metadata"].get("uid") == name for each in found)

            await until(seen, 30)

    async def told(self, *kinds: str) -> list[Json]:
        """The signals of these kinds, the oldest first."""
        found = await self.store.query(ContextFilter(namespaces=["signals.calendar"], newest_first=False, limit=500))
        return [each.data for each in found if each.data["metadata"]["kind"] in kinds]

    async def words(self, *kinds: str) -> list[str]:
        return [each["content"] for each in await self.told(*kinds)]

    async def pass_to(self, at: float) -> None:
        """Let time pass up to ``at``, as far as it goes in one step, and let the feed look."""
        await self.clock.advance(max(0.0, at - self.clock.now()))
        await self.looked()

    async def overlaps(self) -> list[Context]:
        """The conflicts as they stand."""
        return await self.store.query(ContextFilter(namespaces=["raw.calendar"], types=["conflict"]))
