"""The smaller built-in tools, and what a tool is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock.words import TimeReader
from pepper_tui.engine.building.builtin_tools import builtin_tools
from pepper_tui.model import (
    CallState,
    ContextFilter,
    Effect,
    Namespace,
    Notification,
    Record,
    Reminder,
    ReminderState,
    Step,
    UserMessage,
)
from pepper_tui.tools import ToolContext, ToolRegistry, tool
from pepper_tui.tools.approvals.provenance import atoms
from tests.tools.bench import Bench

S = CallState


async def run(bench: Bench, name: str, **arguments: object) -> str:
    call_id = await bench.schedule(name, **arguments)
    await bench.state(call_id, S.SUCCEEDED, S.FAILED)
    return (await bench.result(call_id)).content


async def test_reminders(bench: Bench) -> None:
    bench.time.reader = TimeReader(bench.clock, UTC)
    monday = datetime(2026, 11, 23, 8, 30, tzinfo=UTC).timestamp()
    bench.clock.jump(datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp() - bench.clock.now())
    said = await run(bench, "remind", text="tea", when="8:30am", repeat="weekdays")
    assert "set for Mon 23 Nov 08:30, every weekday" in said  # said on a Saturday: the first time obeys the rule
    for words, why in {
        "FREQ=SECONDLY": "once an hour",
        "FREQ=WEEKLY;INTERVAL=0": "not a repeat rule",
        "every 0 days": "whole number",
        "monthlyish": "not read",
        "tomorrow": "not a rhythm",
    }.items():
        assert why in await run(bench, "remind", text="tea", when="in 2 minutes", repeat=words)
    assert "“never” is not read" in await run(bench, "remind", text="tea", when="never")
    asked = await run(bench, "remind", text="tea", when="next sunday at 5:30pm", repeat="daily")
    assert "Sun 22 Nov 17:30 or Sun 29 Nov 17:30" in asked
    [context] = await bench.store.query(ContextFilter(namespaces=[Namespace.REMINDER]))
    reminder = Reminder.of(context)
    assert (reminder.due, reminder.rule) == (monday, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")
    assert "tea" in await run(bench, "list_reminders")
    assert "Cancelled" in await run(bench, "cancel_reminder", reminder_id=reminder.id)
    assert "already cancelled" in await run(bench, "cancel_reminder", reminder_id=reminder.id)
    again = await bench.store.get(reminder.id, namespace=Namespace.REMINDER)
    assert again is not None
    assert Reminder.of(again).state is ReminderState.CANCELLED
    assert await run(bench, "list_reminders") == "No reminders."
    for text in ("call Ann", "call Ben", "water the plants"):
        await run(bench, "remind", text=text, when="in 2 minutes")
    assert "2 reminders say that" in await run(bench, "cancel_reminder", reminder_id="call")
    assert "there is no reminder" in await run(bench, "cancel_reminder", reminder_id="tea")
    assert await run(bench, "cancel_reminder", reminder_id="The  Plants".lower()) == "Cancelled: water the plants"
    assert "plants" not in await run(bench, "list_reminders")


async def test_a_delegated_task_that_fails_says_why_in_plain_words(bench: Bench) -> None:
    class RunFailedError(RuntimeError):
        """Stands for the error of another room, which this one can't import."""

    async def fails(call: object, task: str, agent: str | None, progress: object) -> str:
        raise RunFailedError("It stopped after 3 steps.")

    bench.parts.workers.delegate = fails
    assert await run(bench, "delegate", task="look") == "It stopped after 3 steps."


async def test_notify_needs_reason_and_source(bench: Bench) -> None:
    given = {"title": "Boss wrote", "body": "b", "reason": "VIP", "source": "1", "priority": "high"}
    await bench.store.store({"content": "x"}, namespace="signals.mail", context_id="1")
    assert "Shown" in await run(bench, "notify", **given)
    assert "'reason' is empty" in await run(bench, "notify", **{**given, "reason": " "})
    [context] = await bench.store.query(ContextFilter(namespaces=[Namespace.NOTIFICATION]))
    assert (Notification.of(context).reason, Notification.of(context).source) == ("VIP", "signals.mail:1")


@pytest.mark.parametrize("inputs", [["signals.mail:s1"], []])
async def test_a_source_that_never_was_is_that_of_the_step(bench: Bench, inputs: list[str]) -> None:
    await bench.store.put(Step("1", bench.clock.now(), inputs), namespace=Namespace.STEP)
    call_id = await bench.schedule("notify", title="Boss wrote", body="b", reason="VIP", source="made-up")
    await bench.state(call_id, S.SUCCEEDED)
    [context] = await bench.store.query(ContextFilter(namespaces=[Namespace.NOTIFICATION]))
    assert Notification.of(context).source == (inputs[0] if inputs else f"tool.call:{call_id}")


async def test_search_reading_on_and_status(bench: Bench) -> None:
    message = UserMessage("said before", "the zebra is late", bench.clock.now())
    await bench.store.put(message, namespace=Namespace.USER_MESSAGE, text=message.text)
    assert "zebra" in await run(bench, "search_context", query="zebra")
    assert "zebra" in await run(bench, "search_context", query="zebra", source="user.message")
    assert "no source" in await run(bench, "search_context", query="zebra", source="approval")
    [said] = await bench.store.query(ContextFilter(namespaces=[Namespace.USER_MESSAGE], limit=1))
    step = Step("1", bench.clock.now(), [f"user.message:{said.context_id}"])
    await bench.store.put(step, namespace=Namespace.STEP)
    assert await run(bench, "search_context", query="zebra", source="user.message") == "Nothing matches."
    await bench.store.store({"content": "x" * 3500 + "yes"}, namespace=Namespace.TOOL_RESULT, context_id="r")
    assert "offset=3500" in await run(bench, "read_result", call_id="r")
    assert await run(bench, "read_result", call_id="r", offset=3500) == "yes"
    await bench.card(await bench.schedule("act", what="x"))
    assert "approval: 1" in await run(bench, "current_status")


@dataclass
class Event(Record):
    summary: str
    start: float
    end: float
    location: str
    all_day: bool = False
    status: str = "CONFIRMED"


async def test_agenda(bench: Bench) -> None:
    class Calendar:
        defects = ()

        async def between(self, start: float, end: float) -> list[Event]:
            self.asked = end - start
            return [Event("Stand-up", start + 3600 * 9, start + 3600 * 10, "room")]

    bench.parts.calendar.agenda = calendar = Calendar()
    said = await run(bench, "agenda", start="tomorrow", days=2)
    assert said.splitlines() == [
        "tomorrow, Sat 16 Jan 2027, 09:00–10:00: Stand-up, room", "Nothing on Sun 17 Jan 2027.",
    ]  # fmt: skip
    assert calendar.asked == 2 * 86400


async def test_the_agenda_reads_as_a_person_would_say_it(bench: Bench) -> None:
    class Calendar:
        events: ClassVar[list[Event]] = []

        defects = ()

        async def between(self, start: float, end: float) -> list[Event]:
            return self.events

    berlin = bench.time.zone = ZoneInfo("Europe/Berlin")
    bench.parts.calendar.agenda = calendar = Calendar()

    def at(day: int, hour: int, minute: int = 0) -> float:
        return datetime(2027, 1, day, hour, minute, tzinfo=berlin).timestamp()

    assert bench.clock.now() == at(15, 9)  # a Friday morning
    assert await run(bench, "agenda") == "Nothing today, Fri 15 Jan 2027."
    assert await run(bench, "agenda", days=3) == "Nothing today, Fri 15 Jan 2027 to Sun 17 Jan 2027."
    calendar.events[:] = [
        Event("Party", at(15, 0), at(17, 0), "", all_day=True),
        Event("Early", at(15, 7), at(15, 8), ""),
        Event("Review", at(15, 14), at(15, 15, 30), "Room 5", status="TENTATIVE"),
        Event("Train", at(15, 22), at(16, 1), ""),
        Event("Far", at(18, 8), at(18, 9), ""),
    ]
    assert (await run(bench, "agenda", days=4)).splitlines() == [
        "Nothing until 14:00 today.",
        "today, Fri 15 Jan 2027 to tomorrow, Sat 16 Jan 2027, all day: Party",
        "today, Fri 15 Jan 2027, 07:00–08:00: Early (over)",
        "today, Fri 15 Jan 2027, 14:00–15:30: Review, Room 5 (tentative)",
        "today, Fri 15 Jan 2027, 22:00 to tomorrow, Sat 16 Jan 2027, 01:00: Train",
        "Mon 18 Jan 2027, 08:00–09:00: Far",
    ]
    bench.clock.jump(5.5 * 3600)
    assert "Nothing" not in await run(bench, "agenda")
    assert "Room 5 (tentative, now)" in await run(bench, "agenda")


def test_every_tool_has_schema_and_docs() -> None:
    for each in builtin_tools():
        assert each.spec.description
        for name, schema in each.parameters.get("properties", {}).items():
            assert schema.get("description"), (each.name, name)
        assert len(each.definition) == 64


def test_definitions_differ_and_names_do_not_clash() -> None:
    @tool(effect=Effect.READ, name="one")
    async def first(ctx: ToolContext, a: int) -> str:
        """One."""
        return ""

    @tool(effect=Effect.READ, name="one")
    async def second(ctx: ToolContext, a: str) -> str:
        """One."""
        return ""

    assert first.definition != second.definition
    with pytest.raises(ValueError, match="two tools"):
        ToolRegistry([first, second])
    with pytest.raises(TypeError, match="resolve"):
        tool(effect=Effect.SEND)


def test_atoms() -> None:
    text = "mail Bob@X.org, see https://a.example/p?q=1). or evil.com/x and /etc/passwd; e.g. nothing"
    assert atoms(text) == ["https://a.example/p?q=1", "bob@x.org", "evil.com/x", "/etc/passwd"]
