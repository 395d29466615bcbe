"""The connection to the engine: made after the first paint, followed while it lasts, and closed with the screen.

Every act runs as a task here, and an error in one becomes words in the status line, never an exception.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, tzinfo
from typing import Any, Final, Protocol

from pepper_tui.engine.protocol import Engine, EngineError, ReplyDelta
from pepper_tui.model import OPEN_TAG, Context, ContextFilter, ContextUpdate, Namespace
from pepper_tui.text import know_characters, one_line
from pepper_tui.ui.shared.board import midnight
from pepper_tui.ui.shared.keeping import MESSAGES_KEPT

EngineFactory = Callable[[], Awaitable[Engine]]

STARTING: Final = "Pepper is still starting"
_RECALLED: Final = (
    ContextFilter(namespaces=(Namespace.USER_MESSAGE, Namespace.ASSISTANT_MESSAGE), limit=MESSAGES_KEPT + 1),
    ContextFilter(namespaces=(Namespace.SIGNALS + ".*",), limit=500),
    ContextFilter(
        namespaces=(
            Namespace.APPROVAL,
            Namespace.NOTIFICATION,
            Namespace.TOOL_CALL,
            Namespace.RUN,
            Namespace.REMINDER,
            Namespace.FOLLOW_UP,
            Namespace.RULE_ACT,
        ),
        tags=(OPEN_TAG,),
        limit=5000,
    ),
    ContextFilter(namespaces=(Namespace.APPROVAL,), limit=60),
    ContextFilter(namespaces=(Namespace.TOOL_CALL,), limit=60),
    ContextFilter(namespaces=(Namespace.RUN,), limit=60),
    ContextFilter(namespaces=(Namespace.NEXT_EVENT,), limit=1),
)


class Listener(Protocol):
    """Receiver of the engine's news."""

    def counted(self, since: float, held: int, seq: int) -> None:
        """Take the number held back since then, as of that seq of the log."""

    def recalled(self, contexts: list[Context]) -> None:
        """Take the present state: at the start, and again after missed updates."""

    def updated(self, updates: list[ContextUpdate]) -> None: ...

    def written(self, piece: ReplyDelta) -> None:
        """Take a piece of the reply that streams now."""

    async def connected(self) -> None:
        """React to a running engine whose state has been recalled."""


class Link:
    """The engine once it runs. ``say`` shows words (bad, to stay)."""

    def __init__(
        self,
        factory: EngineFactory,
        listener: Listener,
        say: Callable[[str, bool, bool], None],
        now: Callable[[], float],
    ) -> None:
        self._factory, self._listener, self._say, self._now = factory, listener, say, now
        self._tasks: set[asyncio.Task[None]] = set()
        self.engine: Engine | None = None

    @property
    def zone(self) -> tzinfo:
        return self.engine.zone if self.engine else UTC

    def open(self) -> None:
        """Start making the engine and following it."""
        self._spawn(self._run(asyncio.Event()))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.engine is not None:
            await self._guarded(self.engine.close(), "closing")

    async def reopen(self) -> None:
        """Close the engine and make it anew, since it reads its config at the start. Open work goes on."""
        engine, self.engine = self.ready(), None
        self._say(STARTING, False, False)
        await engine.close()
        begun = asyncio.Event()
        self._spawn(self._run(begun))
        await begun.wait()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` in the background."""
        self._spawn(self._guarded(work, "Pepper"))

    def tell(self, act: Callable[[Engine], Awaitable[str]]) -> None:
        """Ask the engine for an act and show the words that it answers with."""
        engine = self.engine
        if engine is None:
            self._say(STARTING, False, False)
            return

        async def told() -> None:
            self._say(await act(engine), False, False)

        self.start(told())

    def ready(self) -> Engine:
        """Return the engine. Raises ``EngineError`` with words while it starts."""
        if self.engine is None:
            raise EngineError(STARTING)
        return self.engine

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[None], what: str) -> None:
        try:
            await work
        except EngineError as error:
            self._say(error.words, True, False)
        except Exception as error:  # becomes words, never a traceback over the screen
            self._say(f"{what}: {_trouble(error)}", True, False)

    async def _run(self, begun: asyncio.Event) -> None:
        try:
            engine = await self._factory()
            self._spawn(self._guarded(asyncio.to_thread(know_characters), "the table of characters"))
            await engine.start()
            self.engine = engine
            self._spawn(self._guarded(self._read_replies(engine), "the reply stream"))
            async with engine.updates() as updates:
                await self._recall(engine)
                await self._listener.connected()
                begun.set()
                missed = False
                async for batch in updates:
                    missed = missed or not batch
                    if missed:
                        missed = not await self._recalled(engine)
                    self._listener.updated(batch)
            if self.engine is engine:  # else it was closed to be made anew
                self._say("The engine has stopped. Ctrl+Q, then start Pepper again.", True, False)
        except Exception as error:  # the screen outlives its engine
            self._say(_trouble(error), True, True)
        finally:
            begun.set()

    async def _recalled(self, engine: Engine) -> bool:
        """Recall what was missed; return False if that failed: it is tried again with the next updates."""
        try:
            await self._recall(engine)
        except Exception as error:
            self._say(_trouble(error), True, False)
            return False
        return True

    async def _recall(self, engine: Engine) -> None:
        found = await engine.health()
        self._listener.recalled(found)  # first, and alone: it may say why the rest fails
        start = midnight(self._now(), engine.zone)
        count, seq = await engine.held_back(start)
        self._listener.counted(start, count, seq)
        today = ContextFilter(namespaces=(Namespace.USAGE,), since=self._now() - 86_400, limit=5000)
        for wanted in (*_RECALLED, today):
            found += sorted(await engine.recall(wanted), key=lambda c: c.seq)
        self._listener.recalled(found)

    async def _read_replies(self, engine: Engine) -> None:
        async for piece in engine.replies():
            self._listener.written(piece)


def _trouble(error: BaseException) -> str:
    words = getattr(error, "words", "") or str(error) or type(error).__name__
    return one_line(str(words), 300)
