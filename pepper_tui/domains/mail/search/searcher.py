"""The port of the accounts whose server can search the mail that lies there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from pepper_tui.clock import Clock, done_before
from pepper_tui.domains.mail.search.matching import when
from pepper_tui.domains.mail.search.query import MailQuery
from pepper_tui.model import Json
from pepper_tui.store import Store


@dataclass(slots=True)
class ServerFound:
    """The mails that match at a server, newest first, each as in ``raw.mail``, and what was not looked at, in words."""

    mails: list[Json] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def newest(self, limit: int) -> ServerFound:
        """Return it with at most ``limit`` mails, newest first."""
        self.mails = sorted(self.mails, key=when, reverse=True)[:limit]
        return self


async def ends_within(work: Coroutine[Any, Any, None], clock: Clock, seconds: float) -> bool:
    """Run ``work``, and return whether it ended within ``seconds``; otherwise it is cancelled, and its end awaited."""
    running = asyncio.ensure_future(work)
    try:
        if ended := await done_before(running, clock.sleep(seconds)):
            running.result()
        return ended
    finally:
        running.cancel()
        with contextlib.suppress(BaseException):
            await running


class MailSearcher(Protocol):
    """An account whose server searches."""

    @property
    def account(self) -> str:
        """The account's id, as in ``Copy.account``."""
        ...

    async def lacks(self, query: MailQuery, store: Store, /) -> str:
        """Return what mail that may match the store does not have, in words, as far as is known without asking."""
        ...

    async def search(self, query: MailQuery, limit: int, /) -> ServerFound:
        """Return at most ``limit`` mails that match; the query is resolved.

        Within stated bounds of time and bytes, which are told when they are met. Changes nothing. Raises
        ``PepperError`` if the server can't be asked.
        """
        ...
