"""What a time that can mean two comes to, from what the user types to the reminder: the whole engine, and no model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import parse_config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import (
    AssistantMessage,
    ChoiceError,
    ContextFilter,
    EngineError,
    Namespace,
    Notification,
    NotificationState,
    Reminder,
    ReminderState,
)
from tests.waiting import until

CONFIG = '[user]\nname = "Me"\nzone = "UTC"\nlocale = "en"\n'
TUESDAY = datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp()


@pytest.fixture
async def engine(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    clock.jump(TUESDAY - clock.now())
    opened = await Engine.open(tmp_path, parse_config(CONFIG, tmp_path / "config.toml"), clock)
    await opened.start(feeds=False)
    try:
        yield opened
    finally:
        await opened.close()


async def reminders(engine: Engine) -> list[tuple[str, str, str]]:
    found = await engine.store.query(ContextFilter(namespaces=[Namespace.REMINDER]))
    each = [Reminder.of(context) for context in found]
    return [(r.text, f"{datetime.fromtimestamp(r.due, UTC):%a %d %b %H:%M}", r.rule) for r in each]


async def questions(engine: Engine) -> list[Notification]:
    found = await engine.store.query(ContextFilter(namespaces=[Namespace.NOTIFICATION]))
    return [each for each in map(Notification.of, found) if each.state is NotificationState.NEW]


async def asked(engine: Engine, text: str) -> Notification:
    await engine.say(text)
    await until(lambda: questions(engine))
    [question] = await questions(engine)
    return question


async def said(engine: Engine) -> str:
    found = await engine.store.query(ContextFilter(namespaces=[Namespace.ASSISTANT_MESSAGE], newest_first=False))
    return "\n".join(AssistantMessage.of(context).text for context in found)


@pytest.mark.parametrize(
    ("text", "number", "made"),
    [
        ("remind me to call Ann next friday", 1, ("call Ann", "Fri 27 Nov 09:00", "")),
        ("remind me to call Ann next friday at 15", 2, ("call Ann", "Fri 04 Dec 15:00", "")),
        ("remind me every day at 5:30 to run", 2, ("run", "Tue 24 Nov 17:30", "FREQ=DAILY")),
        ("remind me every day at 5:30 to run", 1, ("run", "Wed 25 Nov 05:30", "FREQ=DAILY")),
        ("remind me to eat from 5 to 7pm tomorrow", 1, ("eat", "Wed 25 Nov 17:00", "")),
        ("remind me to eat every day between 5 and 7pm", 2, ("eat", "Tue 24 Nov 19:00", "FREQ=DAILY")),
        ("erinnere mich heute um 9 Uhr an den Zug", 1, ("den Zug", "Wed 25 Nov 09:00", "")),
    ],
)
async def test_one_key_answers_and_the_same_key_twice_makes_one(
    engine: Engine, text: str, number: int, made: tuple[str, str, str]
) -> None:
    question = await asked(engine, text)
    assert question.kind == "question"
    assert await reminders(engine) == []
    assert made[1].replace(" 04 ", " 4 ") in question.choices[number - 1]["words"]
    await engine.choose(f"notification:{question.id}", number)
    await until(lambda: reminders(engine))
    with pytest.raises(EngineError):
        await engine.choose(f"notification:{question.id}", number)
    assert await reminders(engine) == [made]
    assert await questions(engine) == []


@pytest.mark.parametrize("number", [0, 3, 99])
async def test_what_is_no_answer_changes_nothing(engine: Engine, number: int) -> None:
    question = await asked(engine, "remind me to call Ann next friday")
    with pytest.raises(EngineError, match="none of its answers"):
        await engine.choose(f"notification:{question.id}", number)
    assert await questions(engine) == [question]
    assert await reminders(engine) == []


async def test_a_question_outlives_the_program(engine: Engine, tmp_path: Path, clock: ManualClock) -> None:
    question = await asked(engine, "remind me to call Ann next friday")
    await engine.close()
    again = await Engine.open(tmp_path, parse_config(CONFIG, tmp_path / "config.toml"), clock)
    await again.start(feeds=False)
    try:
        await again.choose(f"notification:{question.id}", 1)
        await until(lambda: reminders(again))
        assert await reminders(again) == [("call Ann", "Fri 27 Nov 09:00", "")]
    finally:
        await again.close()


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("remind me to eat before 5pm tomorrow", "before 5pm"),
        ("remind me to eat, but not before 5pm", ""),
        ("remind me to eat after 5pm on friday", "after 5pm"),
        ("remind me to eat later than 5pm", ""),
        ("remind me before tomorrow to eat", "before tomorrow"),
        ("remind me to eat since 5pm", ""),
        ("remind me to eat until 5pm tomorrow", ""),
        ("erinnere mich ans Essen vor 17 Uhr", ""),
    ],
)
async def test_a_limit_is_no_time_and_no_part_of_the_text(engine: Engine, text: str, limit: str) -> None:
    await engine.say(text)

    async def answered() -> bool:
        return "is not a time that I can read" in await said(engine)

    await until(answered)
    assert f"“{limit}” sets a limit and names no time" in await said(engine) or not limit
    assert await reminders(engine) == []


async def test_a_past_time_with_nothing_to_offer_is_refused_in_words(engine: Engine) -> None:
    await engine.say("remind me to call Ann on 2020-01-01")
    await until(lambda: said(engine))

    async def refused() -> bool:
        return "is past" in await said(engine)

    await until(refused)
    assert await questions(engine) == await reminders(engine) == []


async def test_a_snooze_that_can_mean_two_offers_both_and_says_until_when(engine: Engine) -> None:
    await engine.store.put(
        Notification("n", "Pizza", "", "because", "", engine.parts.ground.clock.now()),
        namespace=Namespace.NOTIFICATION,
        tags=["open"],
    )
    with pytest.raises(ChoiceError, match="can mean several times") as several:
        await engine.snooze("notification:n", "next monday at 5:30")
    words, value = several.value.choices[0]
    assert words == "Mon 30 Nov 05:30"
    assert "until Mon 30 Nov 05:30" in await engine.snooze("notification:n", value)
    with pytest.raises(EngineError, match="comes again and again"):
        await engine.snooze("notification:n", "every monday")


async def test_a_reminder_that_was_cancelled_stays_so(engine: Engine) -> None:
    await engine.say("remind me every monday at 8 to water plants")
    await until(lambda: reminders(engine))
    assert await reminders(engine) == [("water plants", "Mon 30 Nov 08:00", "FREQ=WEEKLY;BYDAY=MO")]
    await engine.say("cancel reminder water plants")

    async def cancelled() -> bool:
        found = await engine.store.query(ContextFilter(namespaces=[Namespace.REMINDER]))
        return Reminder.of(found[0]).state is ReminderState.CANCELLED

    await until(cancelled)
