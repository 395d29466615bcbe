"""The mail of one account at Google: each ``scan_interval`` it is asked what has changed, which costs next to nothing.

A sign-in that is no longer good is told with what to do, and the account waits for another; meanwhile nothing is asked.
"""

from __future__ import annotations

from typing import Final

from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.drafts import Drafts
from pepper_tui.connectors.gmail.intake.cursor import Cursor, cursor_of
from pepper_tui.connectors.gmail.intake.reading import Reader
from pepper_tui.connectors.gmail.intake.taking import Taker, Watch
from pepper_tui.connectors.gmail.labels import LabelNames
from pepper_tui.connectors.google_account.errors import NotAllowedError, SignInError
from pepper_tui.domains.mail.intake.processor import MailIntake, Pace
from pepper_tui.domains.mail.intake.raw_mail import partly_read
from pepper_tui.feeds.feed import FeedContext, FeedError
from pepper_tui.text import one_line

TRY_AGAIN: Final = 6 * 3600.0
"""Seconds between two tries of the mails that the server would not give."""
_NAMED: Final = 20


class GmailFeed:
    """The feed of an account, under its ``name``."""

    def __init__(self, account: GmailAccount, drafts: Drafts, intake: MailIntake) -> None:
        self.name = account.ident
        self._account, self._drafts, self._intake = account, drafts, intake
        self._pace = Pace()
        self._tried = float("-inf")  # when the refused mails were last asked for

    def listen(self, ctx: FeedContext) -> None:
        self._pace = self._intake.listen(ctx)

    async def run(self, ctx: FeedContext) -> None:
        while True:
            try:
                await self._stay(ctx)
            except (SignInError, NotAllowedError) as error:
                await ctx.health.report("trouble", error.words, error.remedy)
                await self._account.another_sign_in()

    async def _stay(self, ctx: FeedContext) -> None:
        """Take in what is there, then what comes. What a kill left there of a send is removed."""
        taker = Taker(self._account)
        reader = Reader(self._account, taker, self._pace)
        taker.watch = await self._watched()
        await self._drafts.remove_left()
        cursor = await cursor_of(ctx.store, self.name)
        if cursor is None or cursor.at != self._account.settings.address:
            cursor = await reader.begin(ctx)
        if not cursor.synced:
            cursor = await reader.take_there(ctx, cursor)
        while True:
            cursor = await reader.catch_up(ctx, cursor)
            await self._drafts.remove_left()
            if cursor.refused and ctx.clock.monotonic() - self._tried >= TRY_AGAIN:
                self._tried = ctx.clock.monotonic()
                cursor = await reader.try_refused(ctx, cursor)
            await self._tell(ctx, cursor)
            await ctx.clock.sleep(self._account.settings.scan_interval)

    async def _watched(self) -> Watch:
        names = LabelNames.of(await self._account.call("labels.list", urgent=True))
        found = {name: names.ident(name) for name in self._account.settings.labels}
        if missing := [name for name, ident in found.items() if not ident]:
            there = ", ".join(one_line(each, 40) for each in [*sorted(names.own.values()), "INBOX", "SENT"][:_NAMED])
            words = f"no label {', '.join(missing)} at {self._account.settings.address}; there are: {there}"
            raise FeedError(words, f"fix labels in account {self.name}")
        return Watch(names, list(found.values()))

    async def _tell(self, ctx: FeedContext, cursor: Cursor) -> None:
        settings = self._account.settings
        words = f"looking each {settings.scan_interval:g} s at {', '.join(settings.labels)} of {settings.address}"
        if cursor.refused:
            lost = f"{len(cursor.refused):,} mails were not given by Google; {words}"
            await ctx.health.report("trouble", lost, "look at them in the browser")
            return
        await ctx.health.report("ok", "; ".join(filter(None, [words, await partly_read(ctx.store)])))
