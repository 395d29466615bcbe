"""The feed of an account's calendars: each ``scan_interval`` it asks what has changed, and copies that.

What it copies becomes signals in ``domains/calendar/feed.py``. While the sign-in is refused it asks seldom, since a
server may lock the account.
"""

from __future__ import annotations

from collections.abc import Callable

from pepper_tui.clock import in_thread
from pepper_tui.connectors.caldav.copying import Copier
from pepper_tui.connectors.caldav.settings import CalDav
from pepper_tui.connectors.caldav.wire import Wire
from pepper_tui.feeds.feed import FeedContext


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
                copied = await copier.look(wire)
                await copied.tell(ctx, self._settings.scan_interval)
                await ctx.clock.sleep(self._settings.scan_interval)
