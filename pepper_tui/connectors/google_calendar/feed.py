"""The feed of an account's calendars at Google: each ``scan_interval`` it asks what has changed, and copies that.

What it copies becomes signals in ``domains/calendar/feed.py``. A sign-in that is no longer good is told with what to
do, and the account waits for another; meanwhile nothing is asked.
"""

from __future__ import annotations

from pepper_tui.connectors.google_account.errors import NotAllowedError, SignInError
from pepper_tui.connectors.google_calendar.copying import Copier
from pepper_tui.connectors.google_calendar.listing import CalendarAccount
from pepper_tui.feeds.feed import FeedContext


class GoogleCalendarFeed:
    """The feed of an account, under its ``name``."""

    def __init__(self, account: CalendarAccount) -> None:
        self.name = account.ident
        self._account = account

    def listen(self, ctx: FeedContext) -> None:
        """Nothing: the calendar's own feed follows the copies."""

    async def run(self, ctx: FeedContext) -> None:
        interval = self._account.settings.scan_interval
        copier = Copier(self._account, ctx.store, ctx.clock)
        while True:
            try:
                copied = await copier.look()
            except (SignInError, NotAllowedError) as error:
                await ctx.health.report("trouble", error.words, error.remedy)
                await self._account.another_sign_in()
                continue
            await copied.tell(ctx, interval)
            await ctx.clock.sleep(interval)
