"""Local acts that ask: a card like any other, then all or nothing in one unit, with no outcome that is not known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from pepper_tui.model import ApprovalState, CallState, CardLine, Effect, Namespace, ResolvedEffect
from pepper_tui.store import VersionConflictError
from pepper_tui.tools import ApprovalError, Tool, ToolContext, ToolError, tool
from tests.tools.bench import Bench, Died
from tests.waiting import until

S, A = CallState, ApprovalState


@dataclass
class Rules:
    """What the body of the tool meets. ``orders``: what the user's own typed message orders."""

    fail: list[BaseException] = field(default_factory=list)
    orders: set[str] = field(default_factory=set)
    runs: int = 0

    def tool(self) -> Tool:
        async def resolve(ctx: ToolContext, name: str) -> ResolvedEffect:
            lines = [CardLine("Rule", name, editable=True)]
            return ctx.effect(account="", summary=f"Make the rule {name}", lines=lines, payload={"name": name})

        async def revise(ctx: ToolContext, effect: ResolvedEffect, fields: dict[str, str]) -> ResolvedEffect:
            return await resolve(ctx, fields["rule"])

        async def ordered(ctx: ToolContext, effect: ResolvedEffect) -> bool:
            return str(effect.payload["name"]) in self.orders

        @tool(
            effect=Effect.LOCAL, asks=True, resolve=resolve, revise=revise, ordered=ordered,
            writes=frozenset({Namespace.RULE}),
        )  # fmt: skip
        async def make_rule(ctx: ToolContext, effect: ResolvedEffect) -> str:
            """Make a rule."""
            self.runs += 1
            name = str(effect.payload["name"])
            await ctx.store.store({"name": name}, namespace=Namespace.RULE, context_id=name)
            if self.fail:
                raise self.fail.pop()
            await ctx.store.store({"name": name}, namespace="rules.beside", context_id=name)
            return f"made {name}"

        return make_rule


@pytest.fixture
async def rules(bench: Bench) -> Rules:
    made = Rules()
    bench.extra = [made.tool()]
    await bench.close()
    await bench.open()
    return made


async def made(bench: Bench, name: str) -> tuple[bool, bool]:
    """Whether the rule is there, and what goes with it."""
    spaces = (Namespace.RULE, "rules.beside")
    found = [await bench.store.get(name, namespace=space) is not None for space in spaces]
    return found[0], found[1]


async def test_it_asks_and_is_done_at_once_after_the_yes(bench: Bench, rules: Rules) -> None:
    call_id = await bench.schedule("make_rule", name="chase")
    card = await bench.card(call_id)
    await bench.clock.advance(100)
    assert await made(bench, "chase") == (False, False)
    assert await bench.approvals.approve(card.id) == "approved: Make the rule chase"
    call = await bench.state(call_id, S.SUCCEEDED)  # no time has passed
    assert await made(bench, "chase") == (True, True)
    assert (call.summary, call.effect, call.ended_at) == ("Make the rule chase", Effect.LOCAL, bench.clock.now())
    states = [v.context.data["state"] for v in await bench.store.versions(call_id, namespace=Namespace.TOOL_CALL)]
    assert S.ATTEMPTED not in states
    with pytest.raises(ApprovalError, match="too late"):
        await bench.approvals.take_back(card.id, "approved")
    assert rules.runs == 1


async def test_what_the_user_typed_orders_needs_no_card(bench: Bench, rules: Rules) -> None:
    rules.orders.add("pause")
    call_id = await bench.schedule("make_rule", name="pause")
    await bench.state(call_id, S.SUCCEEDED)
    assert await made(bench, "pause") == (True, True)
    assert await bench.cards() == []
    assert (await bench.result(call_id)).content == "made pause"


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_body_that_fails_leaves_nothing(bench: Bench, rules: Rules, ordered: bool) -> None:
    rules.fail = [ToolError("there is one of that name")]
    rules.orders = {"chase"} if ordered else set()
    call_id = await bench.schedule("make_rule", name="chase")
    if not ordered:
        await bench.approvals.approve((await bench.card(call_id)).id)
    failed = await bench.state(call_id, S.FAILED)
    assert await made(bench, "chase") == (False, False)
    assert failed.error == "there is one of that name"
    assert [card for card in await bench.cards() if card.retry_of] == []


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_kill_in_the_body_leaves_all_or_nothing(bench: Bench, rules: Rules, ordered: bool) -> None:
    rules.fail = [Died("in the body")]
    rules.orders = {"chase"} if ordered else set()
    call_id = await bench.schedule("make_rule", name="chase")
    if not ordered:
        await bench.approvals.approve((await bench.card(call_id)).id)
    await until(lambda: rules.runs == 1)
    await until(lambda: call_id not in bench.engine.running)
    assert await made(bench, "chase") == (False, False)
    await bench.crash()
    await bench.state(call_id, S.SUCCEEDED)
    assert await made(bench, "chase") == (True, True)
    assert rules.runs == 2


async def test_late_it_asks_once_more(bench: Bench, rules: Rules) -> None:
    rules.fail = [Died("in the body")]
    call_id = await bench.schedule("make_rule", name="chase")
    await bench.approvals.approve((await bench.card(call_id)).id)
    await until(lambda: rules.runs == 1)
    bench.clock.jump(1000)
    await bench.crash()
    assert "still wanted?" in (await bench.card(call_id)).problem
    assert await made(bench, "chase") == (False, False)


async def test_a_conflict_in_the_body_is_tried_again(bench: Bench, rules: Rules) -> None:
    rules.fail = [VersionConflictError(Namespace.RULE, "chase", 0, 1)]
    call_id = await bench.schedule("make_rule", name="chase")
    await bench.approvals.approve((await bench.card(call_id)).id)
    await bench.state(call_id, S.SUCCEEDED)
    rules.fail = [VersionConflictError(Namespace.RULE, "other", 0, 1) for _ in range(9)]
    call_id = await bench.schedule("make_rule", name="other")
    await bench.approvals.approve((await bench.card(call_id)).id)
    failed = await bench.state(call_id, S.FAILED)
    assert "kept changing" in failed.error
    assert await made(bench, "other") == (False, False)


async def test_it_is_policed_as_what_reaches_outside(bench: Bench, rules: Rules) -> None:
    """Doubles, rejections, edits, caps and digests."""
    card = await bench.card(await bench.schedule("make_rule", name="mail bob@x.org"))
    assert "bob@x.org" in [line.value for line in card.resolved.lines if line.untrusted]
    double = await bench.schedule("make_rule", name="mail bob@x.org")
    await bench.state(double, S.FAILED)
    await bench.approvals.reject(card.id)
    again = await bench.schedule("make_rule", name="mail bob@x.org")
    await bench.state(again, S.FAILED)
    assert "already rejected" in (await bench.result(again)).content
    other = await bench.card(await bench.schedule("make_rule", name="a"))
    await bench.approvals.edit(other.id, {"Rule": "b"})
    await bench.approvals.approve((await bench.card(other.call)).id)
    await bench.state(other.call, S.SUCCEEDED)
    assert await made(bench, "b") == (True, True)
    calls = [await bench.schedule("make_rule", name=f"r{n}") for n in range(6)]
    assert "5 cards" in (await bench.deferred(calls[5])).deferred
    forged = await bench.card(calls[0])
    found = await bench.store.get(forged.id, namespace=Namespace.APPROVAL)
    assert found is not None
    evil = {**found.data, "effect": {**found.data["effect"], "payload": {"name": "evil"}}}
    await bench.store.store(evil, namespace=Namespace.APPROVAL, context_id=forged.id, tags=found.tags)
    with pytest.raises(ApprovalError, match="not what was approved"):
        await bench.approvals.approve(forged.id)
    assert await made(bench, "evil") == (False, False)


async def test_it_can_be_cancelled_while_it_waits(bench: Bench, rules: Rules) -> None:
    call_id = await bench.schedule("make_rule", name="chase")
    await bench.card(call_id)
    assert "nothing was done" in await bench.engine.cancel(call_id)
    assert (await bench.call(call_id)).state is S.CANCELLED


async def test_only_what_is_named_may_be_written_and_only_after_the_yes(bench: Bench) -> None:
    async def resolve(ctx: ToolContext, space: str) -> ResolvedEffect:
        with pytest.raises(ToolError, match="may not write"):
            await ctx.store.store({}, namespace=Namespace.RULE, context_id="early")
        return ctx.effect(account="", summary=f"Write {space}", lines=[], payload={"space": space})

    @tool(effect=Effect.LOCAL, asks=True, resolve=resolve, writes=frozenset({Namespace.RULE}))
    async def scribble(ctx: ToolContext, effect: ResolvedEffect) -> str:
        """Write."""
        await ctx.store.store({}, namespace=str(effect.payload["space"]), context_id="x")
        return "written"

    bench.engine._registry.add(scribble)
    for space, end in ((Namespace.RULE, S.SUCCEEDED), (Namespace.RULE_PAUSE, S.FAILED), (Namespace.APPROVAL, S.FAILED)):
        call_id = await bench.schedule("scribble", space=space)
        await bench.approvals.approve((await bench.card(call_id)).id)
        await bench.state(call_id, end)


def test_a_tool_says_what_it_is() -> None:
    async def resolve(ctx: ToolContext) -> ResolvedEffect: ...
    async def ordered(ctx: ToolContext, effect: ResolvedEffect) -> bool: ...

    wrong: list[dict[str, Any]] = [
        {"effect": Effect.LOCAL, "asks": True},
        {"effect": Effect.LOCAL, "resolve": resolve},
        {"effect": Effect.SEND, "asks": True, "resolve": resolve},
        {"effect": Effect.READ, "asks": True, "resolve": resolve},
        {"effect": Effect.SEND, "resolve": resolve, "ordered": ordered},
        {"effect": Effect.WRITE, "resolve": resolve, "writes": frozenset({"rule"})},
    ]
    for given in wrong:
        with pytest.raises(TypeError):
            tool(**given)
