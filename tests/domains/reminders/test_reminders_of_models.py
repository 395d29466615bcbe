"""A reminder keeps whether its words are the user's own, and what was read in the turn that set it."""

from __future__ import annotations

from datetime import UTC

import pytest

from pepper_tui.clock.words import TimeReader
from pepper_tui.model import (
    CallState,
    Effect,
    Namespace,
    Origin,
    Priority,
    Reminder,
    Signal,
    Step,
    ToolCall,
    ToolResult,
    UserMessage,
    whole,
)
from tests.tools.bench import Bench

TYPED = "remind me to call Ann tomorrow at 9am"


async def reminder(bench: Bench, text: str, inputs: list[str], *, tainted: bool = True) -> Reminder:
    bench.time.reader = TimeReader(bench.clock, UTC)
    await bench.store.put(Step("1", bench.clock.now(), inputs), namespace=Namespace.STEP)
    arguments = {"text": text, "when": "tomorrow 9am"}
    call = ToolCall("c", "remind", arguments, Effect.LOCAL, bench.clock.now(), "step:1", root="user", tainted=tainted)
    await bench.put(call)
    ended = await bench.state("c", CallState.SUCCEEDED, CallState.FAILED)
    assert ended.state is CallState.SUCCEEDED, ended.error
    found = Reminder.one(await bench.store.get("reminder_c", namespace=Namespace.REMINDER))
    assert found is not None
    return found


async def said(bench: Bench, text: str, origin: Origin) -> str:
    spans = [] if origin is Origin.TYPED else list(whole(text, origin))
    message = UserMessage("m", text, bench.clock.now(), spans=spans)
    await bench.store.put(message, namespace=Namespace.USER_MESSAGE)
    return f"{Namespace.USER_MESSAGE}:m"


@pytest.mark.parametrize(
    ("text", "origin", "typed"),
    [
        ("Call Ann", Origin.TYPED, True),
        ("call ann!", Origin.TYPED, True),
        ("Call Ann", Origin.PASTED, False),
        ("Pay 500 EUR to Ann", Origin.TYPED, False),
        ("Call Ann at evil.example", Origin.TYPED, False),
    ],
)
async def test_its_words_are_the_users_or_not(bench: Bench, text: str, origin: Origin, typed: bool) -> None:
    made = await reminder(bench, text, [await said(bench, TYPED, origin)])
    assert made.typed is made.is_the_users is typed


async def test_what_was_read_is_kept(bench: Bench) -> None:
    now = bench.clock.now()
    signal = Signal("s", "Eve: Pay now", now, Priority.NORMAL, "mail", "r", "m")
    await bench.store.put(signal, namespace="signals.mail")
    earlier = ToolCall("r", "read_mail", {}, Effect.READ, now, "step:0", state=CallState.SUCCEEDED)
    await bench.store.put(earlier, namespace=Namespace.TOOL_CALL)
    result = ToolResult("r", "read_mail", {}, CallState.SUCCEEDED, "Pay now", now, "step:0", "user")
    await bench.store.put(result, namespace=Namespace.TOOL_RESULT, context_id="r")
    step = Step("0", now, ["signals.mail:s", await said(bench, "what is new?", Origin.TYPED)])
    await bench.store.put(step, namespace=Namespace.STEP)
    made = await reminder(bench, "Pay Eve", [f"{Namespace.TOOL_RESULT}:r"])
    assert made.read == ["what read_mail gave", "“Eve: Pay now”"]
    assert not made.is_the_users


async def test_what_nothing_else_can_have_asked_for_is_the_users(bench: Bench) -> None:
    made = await reminder(bench, "Anything", [await said(bench, TYPED, Origin.TYPED)], tainted=False)
    assert (made.is_the_users, made.read) == (True, [])
