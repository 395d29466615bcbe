"""Revisions of a pending proposal: the old card is withdrawn, a new one shows the old text.

Only in a turn of the user's, or until a screen has drawn the card; never while the user is at it. A worker changes only
its own proposals, and one that the user has seen only if the user had it told so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from pepper_tui.model import Approval, ContextFilter, Effect, Namespace, Told, ToolCall
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import Tool, ToolContext, tool

_LINES: Final = 12

Revise = Callable[[str, dict[str, str], bool], Awaitable[str]]
"""Call id of a pending card, the changed lines, whether the user asked -> the new card's id. Raises ``ValueError``."""


@dataclass(slots=True)
class ReviseParts:
    revise: Revise | None = None


@tool(effect=Effect.LOCAL, rerunnable=True)
async def revise_proposal(
    ctx: ToolContext, call_id: str, lines: Annotated[list[str], Field(min_length=1, max_length=_LINES)]
) -> str:
    """Change a proposal that waits for the user's yes: a mail, an event, any other card. Use this instead of proposing
    it anew; it is the same call still. Only until the user has seen the card, or where they ask for the change. The old
    card is withdrawn, the new one shows what was before.

    Args:
        call_id: the call that waits, as <open_calls> gives it
        lines: each line that changes, as "label: the whole new text", for example "subject: Lunch on Friday" or
            "body: Hi Ann, …"; the labels are those of the card
    """
    revise = ctx.of(ReviseParts).revise
    if revise is None:
        raise ToolError("proposals can't be revised here")
    call = ToolCall.one(await ctx.store.get(call_id, namespace=Namespace.TOOL_CALL))
    by_worker = ctx.call.origin.startswith("run:")
    if by_worker and (call is None or call.origin != ctx.call.origin):
        raise ToolError("a worker revises only what it has proposed itself")
    asked = await _told_since(ctx, call) if by_worker else ctx.call.root == "user"
    try:
        await revise(call_id, _fields(lines), asked)
    except ValueError as error:
        raise ToolError(str(error)) from error
    return "The new words stand on a new card, which waits for the user's yes."


def _fields(lines: list[str]) -> dict[str, str]:
    """Return label and new text of each line. Raises ``ToolError``."""
    fields: dict[str, str] = {}
    for line in lines:
        label, colon, value = line.partition(":")
        label = one_line(label, 60).lower()
        if not colon or not label:
            raise ToolError(f"{one_line(line, 60)!r} names no line of the card; say 'label: new text'")
        if label in fields:
            raise ToolError(f"{label!r} is given twice")
        fields[label] = value.removeprefix(" ")
    return fields


async def _told_since(ctx: ToolContext, call: ToolCall | None) -> bool:
    """Return whether a message of the user's had this worker told something since the card was opened."""
    card = Approval.one(await ctx.store.get(call.approval, namespace=Namespace.APPROVAL)) if call else None
    if card is None:
        return False
    found = await ctx.store.query(
        ContextFilter(namespaces=[Namespace.TOLD], tags=[ctx.call.origin], since=card.created_at, limit=None)
    )
    return any(told.root == "user" for told in Told.readable(found))


def revise_tools(parts: ReviseParts) -> list[Tool]:
    return [revise_proposal.with_given(parts)]
