"""What no tool writes, one by one: the list stands here once more, so that a name that falls out of it is missed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pepper_tui.model import AFTER_A_YES, RESERVED, Effect, Json, Namespace, Record, ResolvedEffect
from pepper_tui.tools import ToolContext, tool
from pepper_tui.tools.tool_store import ToolStore
from tests.tools.bench import Bench, CallState

NEVER = (
    "approval", "tool.call", "tool.result", "user.message", "user.answer", "assistant.message", "step", "history",
    "history.summary", "worker.run", "worker.told", "mcp.server", "rule", "rule.pause", "rule.match", "rule.act",
    "follow_up", "mail.filed", "mail.written", "undo",
)  # fmt: skip
WITH_A_YES = ("people", "mail.sent", "calendar.added")
FREE = (Namespace.NOTE, Namespace.PROFILE, Namespace.REMINDER, Namespace.NOTIFICATION, "raw.own")


@dataclass
class Row(Record):
    id: str


def test_the_lists_are_whole() -> None:
    assert (set(NEVER), set(WITH_A_YES)) == (RESERVED, AFTER_A_YES)


def writer(bench: Bench) -> None:
    """Give the bench a tool that writes what it is told to, without a yes, and one that does with it."""

    async def resolve(ctx: ToolContext, namespace: str, way: str) -> ResolvedEffect:
        where: Json = {"namespace": namespace, "way": way}
        return ctx.effect(account="", summary=f"Write {namespace} by {way}", lines=[], payload=where)

    async def write(store: ToolStore, namespace: str, way: str) -> None:
        if way == "put":
            await store.put(Row("forged"), namespace=namespace)
        else:
            await store.store({"id": "forged"}, namespace=namespace, context_id="forged")

    @tool(effect=Effect.LOCAL)
    async def scribble(ctx: ToolContext, namespace: str, way: str) -> str:
        """Write."""
        await write(ctx.store, namespace, way)
        return "written"

    @tool(effect=Effect.SEND, resolve=resolve)
    async def scribble_outside(ctx: ToolContext, effect: ResolvedEffect) -> str:
        """Write, after a yes."""
        await write(ctx.store, str(effect.payload["namespace"]), str(effect.payload["way"]))
        return "written"

    for each in (scribble, scribble_outside):
        bench.engine._registry.add(each)


@pytest.mark.parametrize("way", ["store", "put"])
@pytest.mark.parametrize("approved", [False, True])
@pytest.mark.parametrize("namespace", [*NEVER, *WITH_A_YES, *FREE])
async def test_no_tool_writes_what_is_reserved(bench: Bench, namespace: str, approved: bool, way: str) -> None:
    writer(bench)
    call_id = await bench.schedule("scribble_outside" if approved else "scribble", namespace=namespace, way=way)
    if approved:
        await bench.yes(call_id)
    allowed = namespace in FREE or (approved and namespace in WITH_A_YES)
    # an attempt that broke off is `unknown`: the engine does not know how far the body came
    refused = CallState.UNKNOWN if approved else CallState.FAILED
    await bench.state(call_id, CallState.SUCCEEDED if allowed else refused)
    if not allowed:
        assert f"may not write {namespace}" in (await bench.result(call_id)).content
    assert (await bench.store.get("forged", namespace=namespace) is not None) is allowed
