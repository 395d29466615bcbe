"""A session for the event loop: each call runs in a thread, and is awaited while the server shows signs of life.

Cancelling the wait ends the connection, so that no thread goes on by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, TypeVar

from pepper_tui.clock import Clock, done_before, in_thread
from pepper_tui.connectors.bearer import Credential
from pepper_tui.connectors.imap.connection.session import Session
from pepper_tui.connectors.imap.connection.trouble import trouble
from pepper_tui.connectors.imap.settings import Imap

T = TypeVar("T")
STALLED: Final = 30.0
"""Seconds in which at least ``LEAST`` bytes must come or go; otherwise the server counts as not answering."""
LEAST: Final = 30_000


class Link:
    """A link to the server. ``session`` is connected while it is open; see ``linked``."""

    def __init__(self, settings: Imap, ident: str, session: Session, clock: Clock) -> None:
        self.session = session
        self._settings, self._ident, self._clock = settings, ident, clock

    async def do(self, function: Callable[..., T], *args: Any) -> T:
        """Return the result of the session's blocking ``function``. Raises ``ServerError``."""
        work = in_thread(function, *args)
        try:
            while True:
                before = self.session.moved
                if await done_before(work, self._clock.sleep(STALLED)):
                    return work.result()
                if self.session.moved - before < LEAST:
                    raise TimeoutError
        except asyncio.CancelledError:
            raise
        except Exception as error:
            raise trouble(error, self._settings, self._ident) from error
        finally:
            if not work.done():
                self.session.cut()
                work.add_done_callback(_seen)

    async def pushed(self, seconds: float, also: asyncio.Event) -> bool:
        """Wait for the server to send something, for at most ``seconds`` or until ``also``; return whether it did."""
        loop, came = asyncio.get_running_loop(), asyncio.Event()
        if self.session.waiting:
            return True
        descriptor = self.session.descriptor()
        loop.add_reader(descriptor, came.set)
        waits = [asyncio.ensure_future(each) for each in (came.wait(), also.wait(), self._clock.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            loop.remove_reader(descriptor)
            for each in waits:
                each.cancel()
            await asyncio.wait(waits)
        return came.is_set()


@contextlib.asynccontextmanager
async def linked(
    settings: Imap, ident: str, password: Credential, clock: Clock, session: Session | None = None
) -> AsyncIterator[Link]:
    """Open a link to the account's server. ``session``: one of another kind. Raises ``ServerError``."""
    session = session or Session(settings, password)
    link = Link(settings, ident, session, clock)
    try:
        await link.do(session.connect)
        yield link
    except BaseException:
        session.cut()
        raise
    finally:
        in_thread(session.close).add_done_callback(_seen)  # nobody waits for the logout


def _seen(work: asyncio.Future[Any]) -> None:
    if not work.cancelled():
        work.exception()  # retrieve the error: nobody waits for the result any more
