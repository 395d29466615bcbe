"""One journal for all that the user does at the screen: what u takes back, what U does again, what they pass over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.engine.engine import Engine
from pepper_tui.model import (
    OPEN_TAG,
    Approval,
    Context,
    ContextFilter,
    EngineError,
    Namespace,
    Notification,
    ReminderState,
    ToolCall,
)
from tests.domains.notices.test_card_acts import CONFIG, opened
from tests.waiting import until

RULES = """
[[rule]]
name = "Bertha"
source = "mail"
sender = ["boss@example.org"]
notify = true
"""


@pytest.fixture
async def engine(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    async with opened(tmp_path, clock, CONFIG + RULES) as one:
        yield one


async def rows(engine: Engine, namespace: str) -> list[Context]:
    return await engine.recall(ContextFilter(namespaces=[namespace], limit=100))


async def notice(engine: Engine, ident: str = "n1") -> str:
    item = Notification(ident, f"Title {ident}", "", "because", "", 0.0)
    await engine.store.put(item, namespace=Namespace.NOTIFICATION, tags=[OPEN_TAG])
    return f"notification:{ident}"


async def notice_state(engine: Engine, ident: str = "n1") -> str:
    found = await engine.store.get(ident, namespace=Namespace.NOTIFICATION)
    assert found is not None
    return str(found.data["state"])


async def live_card(engine: Engine) -> Approval:
    """The newest card, which stands for all its edits."""
    cards = [Approval.of(context) for context in await rows(engine, Namespace.APPROVAL)]
    return next(card for card in cards if card.state != "edited")


async def drafted(engine: Engine, words: str = "The room is booked.") -> Approval:
    before = len(await rows(engine, Namespace.APPROVAL))
    await engine.say(f"reply to boss: {words}")

    async def there() -> bool:
        return len(await rows(engine, Namespace.APPROVAL)) > before

    await until(there, what="a card")
    return await live_card(engine)


def body(card: Approval) -> str:
    return str(card.resolved.payload["fields"]["body"]).strip()


async def card_state(engine: Engine) -> tuple[str, str]:
    card = await live_card(engine)
    call = ToolCall.one(await engine.store.get(card.call, namespace=Namespace.TOOL_CALL))
    assert call is not None
    return ("snoozed" if card.snoozed_until else str(card.state)), str(call.state)


PENDING = ("pending", "waiting_approval")

Act = Callable[[Engine, Approval], Awaitable[Any]]
ON_A_CARD: dict[str, tuple[Act, tuple[str, str]]] = {
    "reject": (lambda engine, card: engine.reject(card.id, "not now"), ("rejected", "cancelled")),
    "dismiss": (lambda engine, card: engine.dismiss(f"approval:{card.id}"), ("rejected", "cancelled")),
    "snooze": (lambda engine, card: engine.snooze(f"approval:{card.id}", "1h"), ("snoozed", "waiting_approval")),
    "cancel": (lambda engine, card: engine.cancel_call(card.call), ("rejected", "cancelled")),
}


@pytest.mark.parametrize("act", ON_A_CARD)
async def test_each_act_on_a_card_is_taken_back_and_done_again(
    engine: Engine, clock: ManualClock, act: str, tmp_path: Path
) -> None:
    do, after = ON_A_CARD[act]
    await do(engine, await drafted(engine))
    assert await card_state(engine) == after
    await engine.undo()
    assert await card_state(engine) == PENDING
    await engine.redo()
    assert await card_state(engine) == after
    await engine.undo()
    assert await card_state(engine) == PENDING
    with pytest.raises(EngineError, match="nothing to take back"):
        await engine.undo()


@pytest.mark.parametrize("act", ["done", "dismiss", "snooze"])
async def test_each_act_on_a_notice_is_taken_back_and_done_again(engine: Engine, act: str) -> None:
    ref = await notice(engine)
    await (engine.snooze(ref, "1h") if act == "snooze" else getattr(engine, act)(ref))
    after = await notice_state(engine)
    for _ in range(2):
        await engine.undo()
        assert await notice_state(engine) == "new"
        await engine.redo()
        assert await notice_state(engine) == after
    with pytest.raises(EngineError, match="nothing to do again"):
        await engine.redo()


async def test_a_yes_is_taken_back_and_never_said_again(engine: Engine) -> None:
    card = await drafted(engine)
    ref = await notice(engine)
    await engine.approve(card.id)
    await engine.dismiss(ref)
    await engine.undo()
    assert "approval taken back" in await engine.undo()
    assert "passed over: a yes is not said again" in await engine.redo()
    assert await notice_state(engine) == "dismissed"
    assert await card_state(engine) == PENDING


async def test_an_edit_is_taken_back_to_exactly_what_stood_there(engine: Engine) -> None:
    card = await drafted(engine)
    await engine.edit(card.id, {"body": "No room is free."})
    assert body(await live_card(engine)) == "No room is free."
    assert "as it was" in await engine.undo()
    back = await live_card(engine)
    assert (back.effect, back.digest) == (card.effect, card.digest)
    assert await card_state(engine) == PENDING
    await engine.redo()
    assert body(await live_card(engine)) == "No room is free."
    await engine.edit((await live_card(engine)).id, {"body": "Third."})
    await engine.reject((await live_card(engine)).id)
    for wanted in ("Third.", "No room is free.", "The room is booked."):
        await engine.undo()
        assert (body(await live_card(engine)), await card_state(engine)) == (wanted, PENDING)
    for wanted in ("No room is free.", "Third."):
        await engine.redo()
        assert (body(await live_card(engine)), await card_state(engine)) == (wanted, PENDING)
    await engine.redo()
    assert await card_state(engine) == ("rejected", "cancelled")


@pytest.mark.parametrize(("act", "state"), [("pause", "paused"), ("remove", None)])
async def test_what_was_done_with_a_rule_is_taken_back(engine: Engine, act: str, state: str | None) -> None:
    given = {"name": "Anna", "source": "mail", "sender": ["anna@example.org"], "notify": True}
    changes = engine.user_rules.changes
    await changes.make(changes.drafted(given))

    async def stands() -> str | None:
        return next((each.rule["state"] for each in await engine.rules() if each.rule["name"] == "Anna"), None)

    async def is_now(wanted: str | None) -> None:
        async def so() -> bool:
            return await stands() == wanted

        await until(so)

    await is_now("active")
    await getattr(engine, f"{act}_rule")("anna")
    await engine.undo()
    await engine.redo()
    await is_now(state)
    await engine.undo()
    await is_now("active")


async def test_a_paused_rule_that_was_removed_comes_back_paused(engine: Engine) -> None:
    given = {"name": "Anna", "source": "mail", "sender": ["anna@example.org"], "notify": True}
    changes = engine.user_rules.changes
    await changes.make(changes.drafted(given))
    await until(lambda: bool(engine.user_rules.book.named("anna")))
    await engine.pause_rule("anna")
    await engine.remove_rule("anna")
    await engine.undo()
    assert str((await changes.stands("anna")).state) == "paused"
    await engine.undo()
    assert str((await changes.stands("anna")).state) == "active"


async def test_the_answer_to_a_question_is_taken_back_with_what_it_set(engine: Engine, clock: ManualClock) -> None:
    clock.jump(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp() - clock.now())
    await engine.say("remind me to call Ann next friday")
    asked: list[Notification] = []

    async def question() -> bool:
        asked[:] = [one for one in Notification.readable(await rows(engine, Namespace.NOTIFICATION)) if one.choices]
        return bool(asked)

    await until(question, what="a question")
    ref = f"notification:{asked[0].id}"

    async def waiting(count: int) -> None:
        async def so() -> bool:
            found = [one.data["state"] for one in await rows(engine, Namespace.REMINDER)]
            return found.count(ReminderState.WAITING) == count

        await until(so, what=f"{count} reminders")

    await engine.choose(ref, 1)
    await waiting(1)
    assert "no reminder" in await engine.undo()
    await waiting(0)
    assert await notice_state(engine, asked[0].id) == "new"
    await engine.choose(ref, 1)  # the same answer once more
    await waiting(1)
    await engine.undo()
    with pytest.raises(EngineError, match="choose on its card"):
        await engine.redo()
    await waiting(0)


WORDS = {
    "remind me in 3 hours to stretch": Namespace.REMINDER,
    "note: the key is under the mat": Namespace.NOTE,
}


async def standing(engine: Engine, namespace: str) -> list[str]:
    """What stands there, in words; reminders only where they wait."""
    found = [one.data for one in await rows(engine, namespace)]
    return [str(one["text"]) for one in found if one.get("state", "waiting") == "waiting"]


@pytest.mark.parametrize("words", WORDS)
async def test_what_was_ordered_in_words_is_taken_back(engine: Engine, words: str) -> None:
    await engine.dismiss(await notice(engine))
    await engine.say(words)

    async def is_set() -> bool:
        return bool(await standing(engine, WORDS[words]))

    await until(is_set)
    [text] = await standing(engine, WORDS[words])
    for _ in range(2):
        assert text[:20] in await engine.undo()
        assert await standing(engine, WORDS[words]) == []
        await engine.redo()
        assert await standing(engine, WORDS[words]) == [text]
    await engine.undo()
    assert "back: Title n1" in await engine.undo()


async def test_a_reminder_that_has_come_is_passed_over(engine: Engine, clock: ManualClock) -> None:
    await engine.dismiss(await notice(engine))
    await engine.say("remind me in 1 minute to stretch")

    async def fired() -> bool:
        await clock.advance(10)
        return [one.data["state"] for one in await rows(engine, Namespace.REMINDER)] == ["fired"]

    await until(fired)
    assert await engine.undo() == "back: Title n1 (passed over: the reminder “stretch” has changed since)"


async def test_what_can_not_be_taken_back_is_passed_over_once_and_named(engine: Engine, clock: ManualClock) -> None:
    ref = await notice(engine)
    card = await drafted(engine)
    await engine.dismiss(ref)
    await engine.approve(card.id)

    async def over() -> bool:
        await clock.advance(1)
        call = await engine.store.get(card.call, namespace=Namespace.TOOL_CALL)
        return call is not None and call.data["state"] == "failed"

    await until(over)
    assert "back: Title n1 (passed over: there is nothing to take back: it was not done" in await engine.undo()
    with pytest.raises(EngineError, match=r"^there is nothing to take back$"):
        await engine.undo()


async def test_after_a_new_act_what_was_undone_is_not_done_again(engine: Engine) -> None:
    first, second = await notice(engine), await notice(engine, "n2")
    await engine.dismiss(first)
    await engine.undo()
    await engine.done(second)
    with pytest.raises(EngineError, match="nothing to do again"):
        await engine.redo()
    await engine.undo()
    await engine.redo()
    assert (await notice_state(engine), await notice_state(engine, "n2")) == ("new", "done")


async def test_the_journal_outlives_the_program(engine: Engine, clock: ManualClock) -> None:
    refs = [await notice(engine, f"n{number}") for number in range(3)]
    for ref in refs:
        await engine.dismiss(ref)
    await engine.undo()
    await engine.close()
    again = await Engine.open(engine.home, engine.config, clock)
    await again.start(feeds=False)
    try:
        await again.redo()
        await again.undo()
        await again.undo()
        states = [await notice_state(again, f"n{number}") for number in range(3)]
        assert states == ["dismissed", "new", "new"]
    finally:
        await again.close()


async def test_an_undo_too_late_leaves_a_later_decision_alone(engine: Engine, clock: ManualClock) -> None:
    """A snooze that is over, of a card that was approved meanwhile elsewhere: undo never takes back the yes for it."""
    card = await drafted(engine)
    await engine.snooze(f"approval:{card.id}", "1h")
    await engine.parts.calling.engine.approvals.approve(card.id)
    with pytest.raises(EngineError):
        await engine.undo()
    assert (await card_state(engine))[0] == "approved"


async def test_two_undos_at_once_take_back_two_acts(engine: Engine) -> None:
    for number in range(3):
        await engine.dismiss(await notice(engine, f"n{number}"))
    await asyncio.gather(engine.undo(), engine.undo())
    assert [await notice_state(engine, f"n{number}") for number in range(3)] == ["dismissed", "new", "new"]


@pytest.mark.parametrize("act", ["pause_rule", "resume_rule", "done"])
async def test_the_same_key_twice_in_one_moment_is_one_act(engine: Engine, act: str) -> None:
    """What a record says was moved is what its own commit moved; the other is told so, or takes nothing back."""
    ref = await notice(engine) if act == "done" else "bertha"
    if act == "resume_rule":
        await engine.pause_rule(ref)
    said = await asyncio.gather(*(getattr(engine, act)(ref) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(each, str | EngineError) for each in said)
    moved = [row.data["moved"] for row in await rows(engine, Namespace.UNDO)]
    assert sum(bool(each) for each in moved) == (2 if act == "resume_rule" else 1)
