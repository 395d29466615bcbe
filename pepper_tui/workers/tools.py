"""Tools to delegate work to a worker, tell it more, and cancel calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from pepper_tui.model import Effect, ToolCall
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import Tool, ToolContext, tool


@dataclass(slots=True)
class WorkerParts:
    """The dependencies of the worker tools.

    ``delegate``: call, task, agent, progress -> the answer; called again with the same call after a crash, it
    re-attaches. ``cancel_delegate`` and ``delegate_tainted`` get the id of such a call. ``tell_worker``: call, a run by
    its id, its call's or its worker's name, text -> words; repeated with the same call, it is told only once; raises
    ``ValueError`` in words. ``cancel_call``: call id, by whom -> words.
    """

    delegate: Callable[[ToolCall, str, str | None, Callable[[str], None]], Awaitable[str]] | None = None
    cancel_delegate: Callable[[str], Awaitable[object]] | None = None
    delegate_tainted: Callable[[str], Awaitable[bool]] | None = None
    tell_worker: Callable[[ToolCall, str, str], Awaitable[str]] | None = None
    cancel_call: Callable[[str, str], Awaitable[str]] | None = None


async def _cancel_delegate(ctx: ToolContext) -> None:
    if (cancel := ctx.of(WorkerParts).cancel_delegate) is not None:
        await cancel(ctx.call.id)


async def _tainted(ctx: ToolContext) -> bool:
    """Return whether any input of the worker's answer came from outside."""
    tainted = ctx.of(WorkerParts).delegate_tainted
    return tainted is None or await tainted(ctx.call.id)


@tool(effect=Effect.READ, resumes=True, on_cancel=_cancel_delegate, tainted=_tainted)
async def delegate(ctx: ToolContext, task: str, agent: str = "") -> str:
    """Give a task of several steps to a worker, which has tools of its own, and get its answer. Other work goes on
    meanwhile. Say beforehand that you do; for one look-up call the tool itself.

    Args:
        task: all that the worker needs to know: it sees nothing of this log
        agent: the name of a worker that there is; empty for a general one that is gone afterwards
    """
    delegated = ctx.of(WorkerParts).delegate
    if delegated is None:
        raise ToolError("there are no workers")
    if not task.strip():
        raise ToolError("'task' is empty")
    try:
        return await delegated(ctx.call, task, agent.strip() or None, ctx.progress)
    except (ValueError, RuntimeError) as error:
        raise ToolError(str(error)) from error


@tool(effect=Effect.LOCAL, rerunnable=True)
async def tell_worker(ctx: ToolContext, worker: str, text: str) -> str:
    """Tell a worker that is under way more: a correction, what the user has said since, what it need not do. It reads
    it at its next step and keeps what it has done so far. Use this instead of delegating the same task again; to stop
    it, cancel_call.

    Args:
        worker: the id of the delegate call or of the run, or the worker's name
        text: all that it needs to know: it sees nothing of this log
    """
    tell = ctx.of(WorkerParts).tell_worker
    if tell is None:
        raise ToolError("there are no workers")
    if not text.strip():
        raise ToolError("'text' is empty")
    try:
        return await tell(ctx.call, worker.strip(), text.strip())
    except ValueError as error:
        raise ToolError(str(error)) from error


@tool(effect=Effect.LOCAL, rerunnable=True)
async def cancel_call(ctx: ToolContext, call_id: str) -> str:
    """Cancel a tool call that has not ended. What was already sent can't be recalled.

    Args:
        call_id: the id of the call
    """
    cancel = ctx.of(WorkerParts).cancel_call
    if cancel is None:
        raise ToolError("calls can't be cancelled here")
    if call_id == ctx.call.id:
        raise ToolError("a call can't cancel itself")
    return await cancel(call_id, "assistant")


DELEGATE: Final = delegate.name


def worker_tools(parts: WorkerParts) -> list[Tool]:
    return [each.with_given(parts) for each in (delegate, tell_worker, cancel_call)]
