"""When a model may put better words in the place of a card that waits: every guard, one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pepper_tui.clock import ManualClock
from pepper_tui.engine.building.builtin_tools import ToolParts
from pepper_tui.model import Approval, ApprovalState, CallState, Effect, Namespace, Told, ToolCall
from pepper_tui.tools import ApprovalError, Tool
from tests.tools.bench import Bench, World, bench_config
from tests.tools.test_decided_cards import DECIDED, state_of

A = ApprovalState


@pytest.mark.parametrize(
    ("shown", "asked", "allowed"),
    [(False, False, True), (False, True, True), (True, True, True), (True, False, False)],
)
async def test_once_a_screen_has_drawn_it_only_the_user_lets_it_change(
    bench: Bench, shown: bool, asked: bool, allowed: bool
) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    if shown:
        await bench.approvals.shown(card.id)
    if allowed:
        new_id = await bench.approvals.revise(call_id, {"What": "y"}, asked=asked)
        assert await state_of(bench, card.id) is A.WITHDRAWN
        new = await bench.card(call_id)
        assert (new.id, new.revises, new.state) == (new_id, card.id, A.PENDING)
        assert [(line.label, line.value) for line in new.resolved.lines] == [("What", "y"), ("Before", "x")]
    else:
        with pytest.raises(ApprovalError, match="has seen"):
            await bench.approvals.revise(call_id, {"What": "y"}, asked=asked)
        assert (await bench.card(call_id)).id == card.id
    await bench.settle()
    await bench.clock.advance(bench.config.tools.undo_seconds + 1)
    await bench.settle()
    assert bench.world.deeds == []  # better words are no yes


@pytest.mark.parametrize("asked", [True, False])
async def test_a_card_stays_as_it_is_while_the_user_is_at_the_inbox(bench: Bench, asked: bool) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    bench.approvals.attended = True
    with pytest.raises(ApprovalError, match="at the inbox"):
        await bench.approvals.revise(call_id, {"What": "y"}, asked=asked)
    assert (await bench.card(call_id)).id == card.id
    bench.approvals.attended = False
    await bench.approvals.revise(call_id, {"What": "y"}, asked=asked)


@pytest.mark.parametrize("state", [state for state in DECIDED if state is not A.EDITED])
async def test_what_is_decided_is_not_revised(bench: Bench, state: ApprovalState) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    await DECIDED[state](bench, card.id)
    with pytest.raises(ApprovalError, match=r"decided already|no such proposal"):
        await bench.approvals.revise(call_id, {"What": "y"}, asked=True)
    assert [each.id for each in await bench.cards()] == [card.id]


async def test_one_that_has_expired_is_not_revised(bench: Bench) -> None:
    call_id = await bench.schedule("act", what="x")
    await bench.card(call_id)
    await bench.settle()
    bench.clock.jump(bench.config.tools.approval_ttl)
    with pytest.raises(ApprovalError, match="expired"):
        await bench.approvals.revise(call_id, {"What": "y"}, asked=True)


async def test_an_edit_of_the_users_own_is_what_a_model_revises_from_then_on(bench: Bench) -> None:
    call_id = await bench.schedule("act", what="x")
    edited = await bench.approvals.edit((await bench.card(call_id)).id, {"What": "y"})
    await bench.approvals.revise(call_id, {"What": "z"}, asked=True)
    assert (await bench.card(call_id)).revises == edited
    assert (await bench.call(call_id)).state is CallState.WAITING_APPROVAL


# ------------------------------------------------------------------------------------------------------- by its tool


@pytest.fixture
async def desk(bench: Bench) -> Bench:
    """A bench whose tools may revise, as in a whole engine."""

    async def revise(call_id: str, fields: dict[str, str], asked: bool) -> str:
        try:
            return await bench.approvals.revise(call_id, fields, asked=asked)
        except ApprovalError as error:
            raise ValueError(str(error)) from error

    bench.parts.revising.revise = revise
    return bench


async def proposed(bench: Bench, name: str = "act", origin: str = "step:1", **arguments: Any) -> str:
    call = ToolCall(bench.clock.new_id("call"), name, arguments, Effect.READ, bench.clock.now(), origin)
    await bench.put(call)
    await bench.card(call.id)
    return call.id


async def revised(
    bench: Bench, call_id: str, *lines: str, origin: str = "step:2", root: str = "user"
) -> tuple[CallState, str]:
    """How the model's call ended that revises, and what it read."""
    given = {"call_id": call_id, "lines": list(lines)}
    call = ToolCall(
        bench.clock.new_id("call"), "revise_proposal", given, Effect.LOCAL, bench.clock.now(), origin, root  # type: ignore[arg-type]
    )  # fmt: skip
    await bench.put(call)
    ended = await bench.state(call.id, CallState.SUCCEEDED, CallState.FAILED)
    return ended.state, (await bench.result(call.id)).content


MAIL = {"to": "bob@x.org", "subject": "Lunch", "body": "On Friday?"}


async def test_each_changed_line_is_shown_with_what_was_before(desk: Bench) -> None:
    call_id = await proposed(desk, "send_mail", **MAIL)
    first = await desk.card(call_id)
    state, words = await revised(desk, call_id, "subject: Dinner: late", "Body: On Monday.\nAt 8.")
    assert (state, "waits for the user's yes" in words) == (CallState.SUCCEEDED, True)
    card = await desk.card(call_id)
    shown = {line.label: line.value for line in card.resolved.lines}
    assert (shown["Subject"], shown["Before Subject"]) == ("Dinner: late", "Lunch")
    assert (shown["Body"].strip(), shown["Before Body"].strip()) == ("On Monday.\nAt 8.", "On Friday?")
    assert card.revises == first.id
    assert await state_of(desk, first.id) is A.WITHDRAWN
    await revised(desk, call_id, "body: On Tuesday.")
    card = await desk.card(call_id)
    assert [line.value.strip() for line in card.resolved.lines if line.label.startswith("Before")] == [
        "On Monday.\nAt 8."
    ]  # of the last change alone
    await desk.yes(call_id)
    await desk.state(call_id, CallState.SUCCEEDED)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("body",), "names no line of the card"),
        ((": x",), "names no line of the card"),
        (("body: x", "Body: y"), "given twice"),
        (("colour: red",), "only these can be edited: body, cc, send at, subject, to"),
        (("to: nobody",), "nobody"),
        ((), "'lines'"),
        (tuple(f"l{n}: x" for n in range(13)), "'lines'"),
    ],
)
async def test_what_names_no_line_changes_nothing(desk: Bench, lines: tuple[str, ...], words: str) -> None:
    call_id = await proposed(desk, "send_mail", **MAIL)
    before = await desk.card(call_id)
    state, said = await revised(desk, call_id, *lines)
    assert state is CallState.FAILED
    assert words in said
    assert (await desk.card(call_id)).id == before.id


@pytest.mark.parametrize("origin", ["step:1", "run:other", "act:rule|1|x"])
async def test_a_worker_revises_only_its_own(desk: Bench, origin: str) -> None:
    call_id = await proposed(desk, origin=origin, what="x")
    before = await desk.card(call_id)
    state, said = await revised(desk, call_id, "what: y", origin="run:mine")
    assert (state, said) == (CallState.FAILED, "a worker revises only what it has proposed itself")
    assert (await desk.card(call_id)).id == before.id


@pytest.mark.parametrize(
    ("told", "when", "allowed"),
    [("user", 1.0, True), ("signal", 1.0, False), ("user", -1.0, False), ("", 0.0, False)],
)
async def test_a_worker_revises_what_was_seen_only_where_the_user_had_it_told_so(
    desk: Bench, told: str, when: float, allowed: bool
) -> None:
    if when < 0:
        await desk.store.put(Told("t", "mine", "y", 0.0, told), namespace=Namespace.TOLD, tags=["run:mine"])  # type: ignore[arg-type]
        desk.clock.jump(1.0)
    call_id = await proposed(desk, origin="run:mine", what="x")
    card = await desk.card(call_id)
    await desk.approvals.shown(card.id)
    desk.clock.jump(1.0)
    if told and when > 0:
        await desk.store.put(Told("t", "mine", "y", 0.0, told), namespace=Namespace.TOLD, tags=["run:mine"])  # type: ignore[arg-type]
    state, _ = await revised(desk, call_id, "what: y", origin="run:mine")
    assert (state is CallState.SUCCEEDED) is allowed
    assert ((await desk.card(call_id)).id != card.id) is allowed


async def test_what_only_the_user_answers_no_model_revises(desk: Bench) -> None:
    """The answer to an MCP server is a card of a tool that no model is offered."""
    act = desk.engine._registry.get("act")
    assert act is not None

    class Unoffered(Tool):
        @property
        def offered(self) -> bool:
            return False

    call_id = await proposed(desk, what="x")
    before = await desk.card(call_id)
    fields = {name: getattr(act, name) for name in act.__dataclass_fields__}
    desk.engine._registry.put(Unoffered(**fields))
    state, said = await revised(desk, call_id, "what: y")
    assert (state, "only the user changes it" in said) == (CallState.FAILED, True)
    assert (await desk.card(call_id)).id == before.id


async def test_two_at_once_leave_one_card(desk: Bench) -> None:
    call_id = await proposed(desk, what="x")
    calls = [
        ToolCall(f"r{n}", "revise_proposal", {"call_id": call_id, "lines": [f"what: y{n}"]}, Effect.LOCAL,
                 desk.clock.now(), "step:2", "user")
        for n in range(4)
    ]  # fmt: skip
    for call in calls:
        await desk.put(call)
    for call in calls:
        await desk.state(call.id, CallState.SUCCEEDED, CallState.FAILED)
    pending = [card for card in await desk.cards() if card.state is A.PENDING]
    assert len(pending) == 1
    assert pending[0].id == (await desk.call(call_id)).approval
    withdrawn = [card for card in await desk.cards() if card.state is A.WITHDRAWN]
    states = [(await desk.call(call.id)).state for call in calls]
    assert len(withdrawn) == states.count(CallState.SUCCEEDED)


async def test_after_a_crash_the_new_words_stand_once(desk: Bench) -> None:
    call_id = await proposed(desk, what="x")
    await revised(desk, call_id, "what: y")
    await desk.crash()
    card = await desk.card(call_id)
    assert card.resolved.payload["what"] == "y"
    again = replace(await desk.call(call_id), id="r9", name="revise_proposal", state=CallState.SCHEDULED, approval="")
    again.arguments = {"call_id": call_id, "lines": ["what: y"]}
    again.origin, again.root = "step:2", "user"
    await desk.put(again)  # as after a crash between the new card and the result
    await desk.state("r9", CallState.SUCCEEDED, CallState.FAILED)
    assert [each.state for each in await desk.cards()].count(A.PENDING) == 1


ACTS = (
    "revise",
    "revise asked",
    "shown",
    "attend",
    "leave",
    "edit",
    "approve",
    "reject",
    "undo",
    "snooze",
    "day",
    "crash",
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(ACTS), min_size=2, max_size=10))
def test_in_any_order_of_acts_one_card_stands_and_the_user_decides_it(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str]
) -> None:
    async def example() -> None:
        path = tmp_path_factory.mktemp("revised") / "pepper.db"
        bench = Bench(path, ManualClock(), bench_config(), ToolParts(), World(), [])
        await bench.open()
        try:
            call_id = await bench.schedule("act", what="x0")
            await bench.card(call_id)
            changed, what, approved = 0, "x0", False
            for act in acts:
                before = Approval.of(await bench._there((await bench.call(call_id)).approval, Namespace.APPROVAL))
                seen, decided = before.shown_at is not None, before.state is not A.PENDING
                attended = bench.approvals.attended
                changed += 1
                words = {"What": f"x{changed}"}
                do: dict[str, Callable[[], Awaitable[object]]] = {
                    "revise": lambda words=words: bench.approvals.revise(call_id, words, asked=False),
                    "revise asked": lambda words=words: bench.approvals.revise(call_id, words, asked=True),
                    "shown": lambda card=before: bench.approvals.shown(card.id),
                    "edit": lambda card=before, words=words: bench.approvals.edit(card.id, words),
                    "approve": lambda card=before: bench.approvals.approve(card.id),
                    "reject": lambda card=before: bench.approvals.reject(card.id),
                    "undo": lambda card=before: bench.approvals.take_back(card.id, str(card.state)),
                    "snooze": lambda card=before: bench.approvals.snooze(card.id, bench.clock.now() + 60),
                    "day": lambda: bench.clock.advance(86_400.0),
                    "crash": bench.crash,
                }
                if act in ("attend", "leave"):
                    bench.approvals.attended = act == "attend"
                    continue
                try:
                    await do[act]()
                except ApprovalError:
                    continue
                await bench.settle()
                if act.startswith("revise"):
                    assert not attended
                    assert not decided
                    assert not seen or act == "revise asked"
                if act.startswith(("revise", "edit")):
                    what = f"x{changed}"
                approved = approved or act == "approve"
            cards = [card for card in await bench.cards() if card.call == call_id]
            assert sum(card.state is A.PENDING for card in cards) <= 1
            live = (await bench.call(call_id)).approval
            assert next(card for card in cards if card.id == live).resolved.payload["what"] == what
            assert bench.world.deeds == [] or approved
            assert len(bench.world.deeds) <= 1
        finally:
            await bench.close()

    asyncio.run(example())
