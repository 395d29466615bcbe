"""The feed of an account's calendars: each ``scan_interval`` it asks what has changed, and copies that.

What it copies becomes signals in ``domains/calendar/feed.py``. While the sign-in is refused it asks seldom, since a
server may lock the account.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pepper_tui.clock import in_thread
from pepper_tui.connectors.caldav.copying import Copied, Copier
from pepper_tui.connectors.caldav.settings import CalDav
from pepper_tui.connectors.caldav.wire import Wire
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.text import one_line

_NAMED: Final = 10


class CalDavFeed:
    """The feed of the account ``ident``."""

    def __init__(self, ident: str, settings: CalDav, password: Callable[[], str]) -> None:
        self.name = ident
        self._settings, self._password = settings, password

    def listen(self, ctx: FeedContext) -> None:
        """Nothing: the calendar's own feed follows the copies."""

    async def run(self, ctx: FeedContext) -> None:
        password = await in_thread(self._password)
        copier = Copier(self.name, self._settings.calendars, ctx.store, ctx.clock)
        async with Wire(self._settings, self.name, password) as wire:
            while True:
                await self._tell(ctx, await copier.look(wire))
                await ctx.clock.sleep(self._settings.scan_interval)

    async def _tell(self, ctx: FeedContext, copied: Copied) -> None:
        titles = ", ".join(one_line(each, 40) for each in copied.titles[:_NAMED])
        more = f" and {len(copied.titles) - _NAMED} more" if len(copied.titles) > _NAMED else ""
        words = f"looking each {self._settings.scan_interval:g} s at {titles or 'no calendar'}{more}"
        if copied.failed:
            title, error = next(iter(copied.failed.items()))
            others = f"; and {len(copied.failed) - 1} more" if len(copied.failed) > 1 else ""
            await ctx.health.report("trouble", f"{one_line(title, 40)}: {error.words}{others}", error.remedy)
        elif copied.too_large:
            await ctx.health.report("trouble", f"{copied.too_large} entries are too large to be read; {words}", "")
        else:
            await ctx.health.report("ok", words)
