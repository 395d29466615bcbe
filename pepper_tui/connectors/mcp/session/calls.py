"""Calls to one server: each waits for the session, runs in the task that holds it, and has a time limit.

All limits pause while the server asks the user something: it is unknown for which call it asks.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pepper_tui.connectors.mcp.trouble import why_failed
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError, ReportedFailureError, ToolError
from pepper_tui.tools.tool import ToolContext

if TYPE_CHECKING:
    from pepper_tui.connectors.mcp.session.connection import Connection

AT_ONCE: Final = 8  # calls to one server

Report = Callable[[str], None]
Check = Callable[["Connection"], Awaitable[None]]
Work = Callable[["Connection", Report], Awaitable[str]]


@dataclass
class Job:
    """A call on its way. ``check`` raises if it may not be sent; ``work`` carries it out."""

    ctx: ToolContext
    check: Check
    work: Work
    answer: asyncio.Future[str]
    task: asyncio.Task[None] | None = None
    scope: asyncio.Timeout | None = None
    sent: bool = False

    def settle(self, error: Exception | None, text: str = "") -> None:
        if self.answer.done():
            return
        if error is None:
            self.answer.set_result(text)
        else:
            self.answer.set_exception(error)

    def stop(self) -> None:
        """Stop it, also at the server if it has been sent."""
        if self.task is not None:
            self.task.cancel()
        else:
            self.settle(NotDoneError("It was stopped before it began."))


class Calls:
    """The calls to one server: ``put`` adds one; ``begin`` starts the waiting ones, in the session's task.

    ``ready`` returns once there is a session, or raises; ``wake`` is set when there is something to begin.
    """

    def __init__(self, server: str, limit: float, ready: Callable[[], Awaitable[None]], wake: asyncio.Event) -> None:
        self._server, self._limit, self._ready, self._wake = server, limit, ready, wake
        self._waiting: deque[Job] = deque()
        self._open: dict[str, Job] = {}
        self._asking = 0
        self._slots = asyncio.Semaphore(AT_ONCE)

    @property
    def under_way(self) -> bool:
        return bool(self._open)

    async def put(self, ctx: ToolContext, check: Check, work: Work) -> str:
        """Return the result of ``work``, run in the session's task. Cancelling it cancels the call at the server."""
        await self._ready()
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        job = self._open[ctx.call.id] = Job(ctx, check, work, answer)
        self._waiting.append(job)
        self._wake.set()
        try:
            return await answer
        except asyncio.CancelledError:
            job.stop()
            raise
        finally:
            self._open.pop(ctx.call.id, None)

    def cancel(self, call_id: str) -> None:
        """Stop the call if it is under way."""
        if job := self._open.get(call_id):
            job.stop()

    def begin(self, connection: Connection, tasks: set[asyncio.Task[None]]) -> None:
        """Carry out all waiting calls, each in one of ``tasks``."""
        while self._waiting:
            job = self._waiting.popleft()
            if job.answer.done():
                continue
            job.task = asyncio.create_task(self._serve(connection, job), name=f"mcp call {job.ctx.call.id}")
            tasks.add(job.task)
            job.task.add_done_callback(tasks.discard)

    def refuse(self, why: str) -> None:
        """End all waiting calls: nothing of them was done."""
        while self._waiting:
            self._waiting.popleft().settle(NotDoneError(why))

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Pause all time limits while the user is asked."""
        self._asking += 1
        self._give_all_time()
        try:
            yield
        finally:
            self._asking -= 1
            self._give_all_time()

    async def _serve(self, connection: Connection, job: Job) -> None:
        """Carry out one call, and set its answer."""
        error: Exception | None = None
        text = ""
        try:
            async with self._slots, asyncio.timeout(self._limit) as job.scope:
                text = await self._carry_out(connection, job)
        except TimeoutError:
            error = ToolError(f"there was no answer for {self._limit:g} seconds; it was told to stop")
        except asyncio.CancelledError:
            error = ToolError("it was stopped while it was under way")
            raise
        except Exception as found:
            error = found
        finally:
            if error is not None and not job.sent and not isinstance(error, NotDoneError):
                error = NotDoneError(f"{one_line(why_failed(error))}.")
            job.settle(error, text)

    async def _carry_out(self, connection: Connection, job: Job) -> str:
        from pepper_tui.connectors.mcp.session import connection as sdk

        ctx = job.ctx
        await job.check(connection)

        def report(words: str) -> None:
            self._give_time(job)
            ctx.progress(words)

        ctx.checkpoint("mcp_before")
        job.sent = True
        try:
            text = await job.work(connection, report)
        except sdk.NotSentError as error:
            raise NotDoneError(f"{error}.") from error
        except sdk.ReportedError as error:
            raise ReportedFailureError(str(error)) from error
        except sdk.LostError as error:
            raise ToolError(f"no answer of the MCP server {self._server} could be read: {error}") from error
        ctx.checkpoint("mcp_after")
        return text

    def _give_time(self, job: Job) -> None:
        """Restart its time limit after a sign of life, or pause it while the user is asked."""
        if job.scope is not None and not job.scope.expired() and job.task is not None and not job.task.done():
            now = asyncio.get_running_loop().time()
            with contextlib.suppress(RuntimeError):  # it has just ended
                job.scope.reschedule(None if self._asking else now + self._limit)

    def _give_all_time(self) -> None:
        for job in self._open.values():
            self._give_time(job)
