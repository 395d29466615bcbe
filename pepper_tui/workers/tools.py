"""Handing work to a worker, and cancelling what runs."""

from __future__ import annotations

from typing import Final

from pepper_tui.model import Effect
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext, tool


async def _cancel_delegate(ctx: ToolContext) -> None:
    if ctx.services.cancel_delegate is not None:
        await ctx.services.cancel_delegate(ctx.call.id)


async def _tainted(ctx: ToolContext) -> bool:
    """Whether any input of the worker's answer came from outside."""
    return ctx.services.delegate_tainted is None or await ctx.services.delegate_tainted(ctx.call.id)


@tool(effect=Effect.READ, resumes=True, on_cancel=_cancel_delegate, tainted=_tainted)
async def delegate(ctx: ToolContext, task: str, agent: str = "") -> str:
    """Give a task of several steps to a worker, which has tools of its own, and get its answer. Other work goes on
    meanwhile. Say beforehand that you do; for one look-up call the tool itself.

    Args:
        task: all that the worker needs to know: it sees nothing of this log
        agent: the name of a worker that there is; empty for a general one that is gone afterwards
    """
    if ctx.services.delegate is None:
        raise ToolError("there are no workers")
    if not task.strip():
        raise ToolError("'task' is empty")
    try:
        return await ctx.services.delegate(ctx.call, task, agent.strip() or None, ctx.progress)
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
    if ctx.services.tell_worker is None:
        raise ToolError("there are no workers")
    if not text.strip():
        raise ToolError("'text' is empty")
    try:
        return await ctx.services.tell_worker(ctx.call, worker.strip(), text.strip())
    except ValueError as error:
        raise ToolError(str(error)) from error


@tool(effect=Effect.LOCAL, rerunnable=True)
async def cancel_call(ctx: ToolContext, call_id: str) -> str:
    """Cancel a tool call that has not ended. What was already sent can't be recalled.

    Args:
        call_id: the id of the call
    """
    if ctx.services.cancel_call is None:
        raise ToolError("calls can't be cancelled here")
    if call_id == ctx.call.id:
        raise ToolError("a call can't cancel itself")
    return await ctx.services.cancel_call(call_id, "assistant")


DELEGATE: Final = delegate.name
DELEGATE_TOOLS: Final = (delegate, tell_worker, cancel_call)
