"""The feed of an account that the user has paused: it senses nothing, and its health says so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pepper_tui.feeds.feed import FeedContext


@dataclass(frozen=True, slots=True)
class PausedFeed:
    """``name`` is the account's; ``rests`` says what is not done."""

    name: str
    rests: str

    def listen(self, ctx: FeedContext) -> None:
        """Register nothing: what it had stored before is processed once it is resumed."""

    async def run(self, ctx: FeedContext) -> None:
        await ctx.health.report("paused", self.rests, resume_words(self.name))
        await asyncio.Event().wait()


def resume_words(ident: str) -> str:
    """Say how to end the pause of an account."""
    return f"pepper accounts resume {ident}"
