"""Blocking access to the user's files and folders, in a thread and with a deadline: a folder may hang for hours.

A hanging thread can't be stopped. So while one hangs at a place, no other is sent there.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from pepper_tui.clock.clock import Clock
from pepper_tui.clock.waits import done_before
from pepper_tui.text.errors import Foreseen

T = TypeVar("T")
LONGEST: Final = 10.0
"""Seconds after which a place counts as not answering."""
NO_ANSWER_REMEDY: Final = "check whether its disk or server is connected; Pepper continues by itself"


def no_answer(place: object) -> str:
    return f"{place}: the folder does not answer"


class NoAnswerError(TimeoutError, Foreseen):
    """The place has not answered. The future ``over`` is done once it has."""

    remedy = NO_ANSWER_REMEDY

    def __init__(self, place: object, over: asyncio.Future[Any]) -> None:
        super().__init__(no_answer(place))
        self.over = over


def in_thread(function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
    """Run ``function`` in a thread of the loop's executor; cancelling the wait lets it run to its end."""
    call = partial(contextvars.copy_context().run, function, *args)
    return asyncio.get_running_loop().run_in_executor(None, call)


class Looks:
    """File access with a deadline, on behalf of a person or a tool."""

    def __init__(self, clock: Clock, longest: float = LONGEST) -> None:
        self._clock, self._longest = clock, longest
        self._hanging: dict[str, asyncio.Future[Any]] = {}

    async def look(self, place: object, function: Callable[..., T], *args: Any) -> T:
        """Return the result of ``function``.

        Raises ``NoAnswerError`` if it hangs, or an earlier access to ``place`` still does.
        """
        key = str(place)
        if key in self._hanging:
            await self._wait(place, self._hanging[key])
        work = in_thread(function, *args)
        try:
            await self._wait(place, work)
        finally:
            if not work.done():
                self._hanging[key] = work
                work.add_done_callback(lambda done: self._over(key, done))
        return work.result()

    async def _wait(self, place: object, work: asyncio.Future[Any]) -> None:
        if not await done_before(work, self._clock.sleep(self._longest)):
            raise NoAnswerError(place, work)

    def _over(self, key: str, done: asyncio.Future[Any]) -> None:
        self._hanging.pop(key, None)
        if not done.cancelled():
            done.exception()  # retrieve it: nobody waits for it any more
