"""Decisions: bound, single use, editable by the user only, expiring, undoable for a while, capped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pepper_tui.model import Approval, ApprovalState, CallState, Context, Effect, Namespace, Step, ToolCall, UserMessage
from pepper_tui.store.upkeep.copying import back_up
from pepper_tui.store.upkeep.exporting import export_file
from pepper_tui.store.upkeep.importing import import_file
from pepper_tui.store.upkeep.restoring import restore
from pepper_tui.tools import ApprovalError, Tool
from pepper_tui.tools.errors import NotDoneError
from tests.tools.bench import Bench, act_tool, bench_config
from tests.waiting import until

S, A = CallState, ApprovalState


async def state_of(bench: Bench, approval_id: str) -> ApprovalState:
    return next(card.state for card in await bench.cards() if card.id == approval_id)


async def test_nothing_happens_before_the_yes_and_once_after_it(bench: Bench) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    await bench.clock.advance(100)
    assert bench.world.deeds == []
    assert await bench.approvals.approve(card.id) == "sends in 10 s; u takes it back: do x"
    await bench.settle()
    await bench.clock.advance(bench.config.tools.undo_seconds - 0.1)
    assert bench.world.deeds == []
    await bench.clock.advance(0.2)
    await bench.state(call_id, S.SUCCEEDED)
    assert bench.world.deeds == [{"what": "x", "n": 0}]
    for again in (bench.approvals.approve, bench.approvals.reject, partial(bench.approvals.take_back, was="approved")):
        with pytest.raises(ApprovalError):
            await again(card.id)


async def test_undo_within_the_grace_and_approve_again(bench: Bench) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    await bench.approvals.approve(card.id)
    await bench.settle()
    await bench.clock.advance(1)
    assert "taken back" in await bench.approvals.take_back(card.id, "approved")
    await bench.approvals.approve(card.id)
    await bench.settle()
    await bench.clock.advance(9.5)  # past the first window, not the second
    await bench.settle()
    assert bench.world.deeds == []
    await bench.clock.advance(1)
    await bench.state(call_id, S.SUCCEEDED)
    assert len(bench.world.deeds) == 1
    with pytest.raises(ApprovalError, match="too late"):
        await bench.approvals.take_back(card.id, "approved")


@pytest.mark.parametrize("overtaken", [1, 2, 3])
async def test_undo_that_overtakes_the_engines_reads_still_counts(bench: Bench, overtaken: int) -> None:
    """Between any two of its reads before the attempt: what was said to be taken back is not done."""
    card = await bench.card(await bench.schedule("act", what="x"))
    await bench.approvals.approve(card.id)
    await bench.settle()
    await bench.clock.advance(bench.config.tools.undo_seconds - 0.1)
    get = bench.store.get
    reads = 0
    words: list[str] = []

    async def overtaken_get(context_id: str, *, namespace: str, version: int | None = None) -> Context | None:
        nonlocal reads
        found = await get(context_id, namespace=namespace, version=version)
        reads += context_id in (card.id, card.call)
        if reads == overtaken and not words:
            words.append("")
            words.append(await bench.approvals.take_back(card.id, "approved"))
        return found

    bench.store.get = overtaken_get  # type: ignore[method-assign]
    await bench.clock.advance(0.2)
    await until(lambda: len(words) == 2)
    bench.store.get = get  # type: ignore[method-assign]
    await bench.settle()
    assert "taken back" in words[1]
    assert bench.world.deeds == []
    assert await state_of(bench, card.id) is A.PENDING
    assert (await bench.call(card.call)).state is S.WAITING_APPROVAL


async def test_an_edit_can_not_repeat_what_may_have_happened_or_was_rejected(bench: Bench) -> None:
    bench.world.fail = RuntimeError("the answer was lost")
    attempted = await bench.schedule("act", what="x")
    await bench.yes(attempted)
    await bench.state(attempted, S.UNKNOWN)
    bench.world.fail = None
    rejected = await bench.card(await bench.schedule("act", what="y"))
    await bench.approvals.reject(rejected.id)
    waiting = await bench.card(await bench.schedule("act", what="z"))
    card = await bench.card(await bench.schedule("act", what="other"))
    for what, words in (("x", "may have happened"), ("y", "rejected exactly this"), ("z", "waits in another card")):
        with pytest.raises(ApprovalError, match=words):
            await bench.approvals.edit(card.id, {"what": what})
    assert await state_of(bench, card.id) is A.PENDING
    await bench.engine.answer_unknown(attempted, "did_not")
    await bench.approvals.edit(card.id, {"what": "x"})
    assert await state_of(bench, card.id) is A.EDITED
    assert await state_of(bench, waiting.id) is A.PENDING


async def test_reject_refuses_the_same_until_undone(bench: Bench) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    await bench.approvals.reject(card.id, "not him")
    assert (await bench.call(call_id)).state is S.CANCELLED
    assert "not him" in (await bench.result(call_id)).content
    again = await bench.schedule("act", what="x")
    await bench.state(again, S.FAILED)
    assert "already rejected" in (await bench.result(again)).content
    await bench.approvals.take_back(card.id, "rejected")
    assert (await bench.call(call_id)).open
    assert (await bench.result(call_id)).state is S.WAITING_APPROVAL
    await bench.yes(call_id)
    await bench.state(call_id, S.SUCCEEDED)


async def test_edit_ends_the_card_and_opens_a_new_one(bench: Bench) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    with pytest.raises(ApprovalError, match="only these"):
        await bench.approvals.edit(card.id, {"Account": "other"})
    new_id = await bench.approvals.edit(card.id, {"What": "y"})
    assert await state_of(bench, card.id) is A.EDITED
    assert await state_of(bench, new_id) is A.PENDING
    await bench.settle()
    await bench.clock.advance(10)
    assert bench.world.deeds == []  # saving does not approve
    with pytest.raises(ApprovalError, match="edited"):
        await bench.approvals.approve(card.id)
    await bench.yes(call_id)
    await bench.state(call_id, S.SUCCEEDED)
    assert bench.world.deeds == [{"what": "y", "n": 0}]


CHANGED = "The user changed your proposal before the yes. What was done has:\nWhat: "


@pytest.mark.parametrize("ends", ["done", "failed first", "unknown, and it happened"])
async def test_who_proposed_it_hears_what_the_user_made_of_it(bench: Bench, ends: str) -> None:
    call_id = await bench.schedule("act", what="9,000 EUR")
    for what in ("8,000 EUR", "8,500 EUR"):
        await bench.approvals.edit((await bench.card(call_id)).id, {"What": what})
    if ends == "failed first":
        bench.world.fail = NotDoneError("no link")
        await bench.yes(call_id)
        back = await bench.returned(call_id)
        bench.world.fail = None
        call_id = back.call
    if ends.startswith("unknown"):
        bench.world.fail = OSError("the line went dead")
    await bench.yes(call_id)
    if ends.startswith("unknown"):
        await bench.state(call_id, S.UNKNOWN)
        assert CHANGED + "8,500 EUR" in (await bench.result(call_id)).content
        await bench.engine.answer_unknown(call_id, "happened")
    await bench.state(call_id, S.SUCCEEDED)
    assert (await bench.result(call_id)).content.endswith(CHANGED + "8,500 EUR")


async def test_what_was_not_changed_is_not_told_as_changed(bench: Bench) -> None:
    call_id = await bench.schedule("act", what="x")
    for what in ("y", "x"):
        await bench.approvals.edit((await bench.card(call_id)).id, {"What": what})
    await bench.yes(call_id)
    await bench.state(call_id, S.SUCCEEDED)
    assert "changed" not in (await bench.result(call_id)).content


async def test_an_edit_taken_back_makes_no_strange_words_the_users_own(bench: Bench) -> None:
    """What the card marked as not from the user is marked so again, and what the user typed is gone."""
    call_id = await bench.schedule("act", what="see www.evil.example")
    card = await bench.card(call_id)
    assert [line.value for line in card.resolved.lines if line.untrusted]
    typed = await bench.approvals.edit(card.id, {"What": "call carol@y.org"}, ["What"])
    await bench.approvals.take_back(card.id, "edited")
    back = await bench.card(call_id)
    assert back.id not in (card.id, typed)
    assert (back.effect, back.digest, back.state) == (card.effect, card.digest, A.PENDING)
    await bench.approvals.do_again(card.id, "edited", {"fields": {"What": "call carol@y.org"}, "typed": ["What"]})
    again = await bench.card(call_id)
    assert not [line.value for line in again.resolved.lines if line.untrusted]
    await bench.approvals.take_back(back.id, "edited")
    await bench.approvals.do_again(back.id, "edited", {"fields": {"What": "call carol@y.org"}})  # it was pasted
    assert "carol@y.org" in [line.value for line in (await bench.card(call_id)).resolved.lines if line.untrusted]


@pytest.mark.parametrize("was", ["snoozed", "rejected", "approved", "edited"])
@pytest.mark.parametrize("now", ["pending", "rejected", "approved", "edited", "expired", "withdrawn"])
async def test_only_what_the_act_left_is_taken_back(bench: Bench, was: str, now: str) -> None:
    """An undo of one act never takes back another: each state against each kind of act."""
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    match now:
        case "rejected":
            await bench.approvals.reject(card.id)
        case "approved":
            await bench.approvals.approve(card.id)
        case "edited":
            await bench.approvals.edit(card.id, {"What": "y"})
        case "withdrawn":
            await bench.approvals.withdraw(card.id, "step")
        case "expired":
            await bench.settle()
            await bench.clock.advance(bench.config.tools.approval_ttl + 1)
            await bench.settle()
    assert await state_of(bench, card.id) == now
    if was == now:
        await bench.approvals.take_back(card.id, was)
        assert (await bench.card(call_id)).state is A.PENDING
    else:
        with pytest.raises(ApprovalError):
            await bench.approvals.take_back(card.id, was)
        assert await state_of(bench, card.id) == now


async def test_expiry_is_durable_and_visible(bench: Bench) -> None:
    first = await bench.schedule("act", what="x")
    card = await bench.card(first)
    await bench.settle()
    await bench.clock.advance(bench.config.tools.approval_ttl - 1)
    assert await state_of(bench, card.id) is A.PENDING
    await bench.clock.advance(2)
    await bench.state(first, S.FAILED)
    assert await state_of(bench, card.id) is A.EXPIRED
    assert "expired" in (await bench.result(first)).content
    second = await bench.schedule("act", what="x")  # an expired card is not a no
    card = await bench.card(second)
    await bench.engine.stop()
    bench.clock.jump(bench.config.tools.approval_ttl + 1)  # while nothing runs
    await bench.crash()
    assert await state_of(bench, card.id) is A.EXPIRED


async def test_a_card_that_fell_due_in_a_suspend_ends_at_the_wake(bench: Bench) -> None:
    card = await bench.card(await bench.schedule("act", what="x"))
    snoozed = await bench.card(await bench.schedule("act", what="y"))
    await bench.approvals.snooze(snoozed.id, bench.clock.now() + 60)
    await bench.settle()
    bench.clock.jump(bench.config.tools.approval_ttl + 1)  # no monotonic time passes

    async def ended() -> bool:
        return await state_of(bench, card.id) is A.EXPIRED

    await until(ended)

    async def is_back() -> bool:
        found = await bench.store.get(snoozed.id, namespace=Namespace.APPROVAL)
        return found is not None and Approval.of(found).snoozed_until is None

    await until(is_back)


async def test_snoozed_does_not_expire_before_it_is_back(bench: Bench) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    ttl = bench.config.tools.approval_ttl
    back = bench.clock.now() + 2 * ttl
    await bench.approvals.snooze(card.id, back)
    await bench.settle()
    await bench.clock.advance(2 * ttl - 10)
    assert await state_of(bench, card.id) is A.PENDING
    await bench.clock.advance(11)

    async def is_back() -> bool:
        return (await bench.card(call_id)).snoozed_until is None

    await until(is_back)
    assert await state_of(bench, card.id) is A.PENDING
    await bench.approvals.approve(card.id)


async def test_caps_and_doubles(bench: Bench) -> None:
    calls = [await bench.schedule("act", what=f"thing {n}") for n in range(7)]
    await until(lambda: not bench.engine.running)
    states = [(await bench.call(call_id)).state for call_id in calls]
    assert states.count(S.WAITING_APPROVAL) == bench.config.tools.open_cards
    other = ToolCall("call_other", "act", {"what": "thing 0"}, Effect.READ, 0.0, "step:2")
    await bench.put(other)
    await bench.state("call_other", S.FAILED)
    assert "already waits" in (await bench.result("call_other")).content
    for n in range(100):
        await bench.put(ToolCall(f"flood_{n}", "act", {"what": f"flood {n}"}, Effect.READ, 0.0, f"step:f{n}"))
    await bench.deferred("flood_99")
    await until(lambda: not bench.engine.running)
    assert len([c for c in await bench.cards() if c.state is A.PENDING]) == 4 * bench.config.tools.open_cards
    mine = ToolCall("call_mine", "act", {"what": "mine"}, Effect.READ, 0.0, "step:u", root="user")
    await bench.put(mine)
    await bench.card("call_mine")


async def said(bench: Bench, number: int) -> str:
    """The origin of a step that held a message of the user's, said now."""
    message = UserMessage(f"m{number}", "do it", bench.clock.now())
    await bench.store.put(message, namespace=Namespace.USER_MESSAGE)
    step = Step(f"s{number}", bench.clock.now(), [f"{Namespace.USER_MESSAGE}:{message.id}"])
    await bench.store.put(step, namespace=Namespace.STEP)
    return f"step:{step.id}"


async def ordered(bench: Bench, name: str, origin: str, what: str) -> str:
    return await bench.put(ToolCall(name, "act", {"what": what}, Effect.READ, bench.clock.now(), origin, root="user"))


async def test_what_was_rejected_is_asked_again_when_the_user_says_so(bench: Bench) -> None:
    first = await said(bench, 1)
    await bench.approvals.reject((await bench.card(await ordered(bench, "a", first, "x"))).id)
    await bench.state(await ordered(bench, "b", first, "x"), S.FAILED)
    await bench.clock.advance(1)
    second = await said(bench, 2)
    looked = await ordered(bench, "look", second, "y")
    card = await bench.card(await ordered(bench, "c", second, "x"))
    await bench.approvals.reject(card.id)
    await bench.clock.advance(1)
    await said(bench, 3)  # of another matter: the step at hand does not hold it
    result = Step("s4", bench.clock.now(), [f"{Namespace.TOOL_RESULT}:{looked}"])
    await bench.store.put(result, namespace=Namespace.STEP)
    await bench.state(await ordered(bench, "d", "step:s4", "x"), S.FAILED)
    looked = await ordered(bench, "look 2", "step:s3", "z")
    result = Step("s5", bench.clock.now(), [f"{Namespace.TOOL_RESULT}:{looked}"])
    await bench.store.put(result, namespace=Namespace.STEP)
    await bench.card(await ordered(bench, "e", "step:s5", "x"))


async def test_no_number_of_cards_holds_up_what_the_user_asks_for(bench: Bench) -> None:
    most = bench.config.tools.open_cards
    for number in range(4 * most + 3):
        await bench.card(await ordered(bench, f"call_{number}", await said(bench, number), f"thing {number}"))
    for number in range(most + 1):
        await ordered(bench, f"more_{number}", "step:s0", f"more {number}")  # of one message as many as of any asker
    await bench.deferred(f"more_{most}")
    await ordered(bench, "chain", "step:chain", "chained")
    await bench.deferred("chain")


async def test_a_changed_effect_tool_or_account_is_not_performed(bench: Bench) -> None:
    async def tampered(**changes: object) -> str:
        call_id = await bench.schedule("act", what=f"thing {sorted(changes)}")
        card = await bench.card(call_id)
        await bench.approvals.approve(card.id)
        found = await bench.store.get(card.id, namespace=Namespace.APPROVAL)
        assert found is not None
        data = {**found.data, "effect": {**found.data["effect"], **changes}}
        await bench.store.store(data, namespace=Namespace.APPROVAL, context_id=card.id, tags=found.tags)
        return call_id

    calls = [await tampered(payload={"what": "evil", "n": 0}), await tampered(account="other")]
    calls += [await tampered(definition="old"), await tampered(tool="other")]
    await bench.settle()
    await bench.clock.advance(10)
    for call_id in calls:
        await bench.state(call_id, S.FAILED)
    # the same with a tool whose definition has changed between the yes and the attempt
    call_id = await bench.schedule("act", what="later")
    await bench.approvals.approve((await bench.card(call_id)).id)
    registry = bench.engine._registry
    changed: Tool = replace(act_tool(bench.world), effect=Effect.WRITE)
    registry._tools["act"] = changed
    await bench.settle()
    await bench.clock.advance(10)
    await bench.state(call_id, S.FAILED)
    assert "tool has changed" in (await bench.result(call_id)).content
    assert bench.world.deeds == []


async def test_what_the_user_never_wrote_is_marked(bench: Bench) -> None:
    async def marked(what: str) -> list[str]:
        call_id = await bench.schedule("act", what=what)
        lines = (await bench.card(call_id)).resolved.lines
        await bench.engine.cancel(call_id, "test")
        return [line.value for line in lines if line.untrusted]

    assert await marked("mail bob@x.org now") == ["mail bob@x.org now", "bob@x.org"]
    await bench.say("write to notbob@x.org, or see https://good.example/page.")
    assert "bob@x.org" in await marked("mail bob@x.org")
    assert await marked("notbob@x.org at https://good.example/page") == []
    await bench.store.store({"address": "bob@x.org"}, namespace=Namespace.PEOPLE, context_id="bob@x.org")
    assert await marked("mail bob@x.org") == []
    assert await marked("mail me@example.com") == []
    assert await marked("see http://evil.example/?q=1") != []
    assert await marked("plain words") == []
    call_id = await bench.schedule("act", what="go to www.evil.example")
    edit = {"What": "go to www.evil.example or carol@y.org"}
    await bench.approvals.edit((await bench.card(call_id)).id, edit)
    untrusted = {line.value for line in (await bench.card(call_id)).resolved.lines if line.untrusted}
    assert {"www.evil.example", "carol@y.org"} <= untrusted  # the user pasted it
    await bench.approvals.edit((await bench.card(call_id)).id, {"What": "go to www.evil.example"})
    await bench.approvals.edit((await bench.card(call_id)).id, edit, ["What"])
    untrusted = {line.value for line in (await bench.card(call_id)).resolved.lines if line.untrusted}
    assert "www.evil.example" in untrusted
    assert "carol@y.org" not in untrusted  # the user typed it


async def test_no_grace(bench: Bench) -> None:
    await bench.close()
    bench.config = bench_config(undo_seconds=0)
    await bench.open()
    call_id = await bench.schedule("act", what="x")
    await bench.approvals.approve((await bench.card(call_id)).id)
    await bench.state(call_id, S.SUCCEEDED)


def by_export(old: Path, between: Path, new: Path, now: float) -> Callable[[], object]:
    export_file(old, between, now)

    def arrive() -> None:
        with between.open() as lines:
            import_file(lines, new, now)

    return arrive


def by_copy(old: Path, between: Path, new: Path, now: float) -> Callable[[], object]:
    back_up(old, between)
    return lambda: restore(between, new, now)


@pytest.mark.parametrize("way", [by_export, by_copy])
async def test_a_yes_does_not_travel(
    bench: Bench, tmp_path: Path, way: Callable[[Path, Path, Path, float], Callable[[], object]]
) -> None:
    """The home that it was given in acts on it: a copy that did so, too, would do it twice."""
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    await bench.approvals.approve(card.id)
    arrive = way(bench.path, tmp_path / "between", tmp_path / "new" / "pepper.db", bench.clock.now())  # in the grace
    await bench.settle()
    await bench.clock.advance(bench.config.tools.undo_seconds)
    await bench.state(call_id, S.SUCCEEDED)
    await bench.close()
    bench.path = tmp_path / "new" / "pepper.db"
    arrive()
    await bench.open()
    await bench.settle()
    await bench.clock.advance(60)
    await bench.settle()
    assert len(bench.world.deeds) == 1
    again = await bench.card(call_id)
    assert (again.id, again.state, again.digest) == (card.id, ApprovalState.PENDING, card.digest)
    assert [version.context.data["state"] for version in await bench.store.versions(card.id, namespace="approval")] == [
        "pending",
        "approved",
        "pending",
    ]
    assert [hit.context.context_id for hit in await bench.store.search("do x")].count(card.id) == 1
    await bench.yes(call_id)
    await bench.state(call_id, S.SUCCEEDED)
    assert len(bench.world.deeds) == 2, "by a yes of its own"
