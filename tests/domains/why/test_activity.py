"""What was done in a time that is over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pepper_tui.model import (
    CallState,
    Effect,
    Namespace,
    Notification,
    Priority,
    Reminder,
    ReminderState,
    RuleAct,
    RunState,
    Signal,
    ToolCall,
    WorkerRun,
)
from tests.tools.bench import Bench

NOW = datetime(2026, 11, 27, 18, 0, tzinfo=UTC).timestamp()


@pytest.fixture
def evening(bench: Bench) -> Bench:
    bench.clock.jump(NOW - 3 * 86_400 - bench.clock.now())
    return bench


async def looked(bench: Bench, **arguments: str) -> str:
    call_id = await bench.schedule("activity", **arguments)
    await bench.state(call_id, CallState.SUCCEEDED, CallState.FAILED)
    return (await bench.result(call_id)).content


async def a_day(bench: Bench, name: str) -> None:
    """One of each kind, an hour before six in the evening."""
    at = bench.clock.now() - 3600
    store = bench.store
    for priority in (Priority.LOW, Priority.URGENT):
        signal = Signal(f"s{priority}{name}", "x", at, priority, "mail", "r", "m")
        await store.put(signal, namespace="signals.mail")
    sent = ToolCall(f"c{name}", "send_mail", {}, Effect.SEND, at, "step:1", state=CallState.SUCCEEDED, ended_at=at)
    sent.summary = f"Send mail to Ann: {name}"
    looked_up = ToolCall(
        f"l{name}", "search_mail", {}, Effect.READ, at, "step:1", state=CallState.SUCCEEDED, ended_at=at
    )
    failed = ToolCall(f"f{name}", "add_note", {"text": f"milk {name}"}, Effect.LOCAL, at, "step:1")
    failed.state, failed.ended_at, failed.error = CallState.FAILED, at, "no room"
    for call in (sent, looked_up, failed):
        await store.put(call, namespace=Namespace.TOOL_CALL)
    await store.put(Notification(f"n{name}", f"Lunch {name}", "", "r", "", at), namespace=Namespace.NOTIFICATION)
    hidden = Notification(f"h{name}", f"Hidden {name}", "", "r", "", at)
    await store.put(hidden, namespace=Namespace.NOTIFICATION, metadata={"withdrawn": "told before"})
    for state in (ReminderState.FIRED, ReminderState.WAITING):
        reminder = Reminder(f"{state}{name}", f"{state} plants {name}", at, "UTC", at, state=state)
        await store.put(reminder, namespace=Namespace.REMINDER)
    act = RuleAct(f"a{name}", "vip", "1", "vip", "m", "notify", at, f"boss {name}", state="done", ended_at=at)  # type: ignore[arg-type]
    await store.put(act, namespace=Namespace.RULE_ACT)


KINDS = (
    "Send mail to Ann: {}",
    "add note failed (no room): milk {}",
    "told: Lunch {} (new)",
    "reminded: fired plants {}",
    "rule vip: notify done: boss {}",
)


async def test_each_kind_is_told_of_the_days_that_were_asked_for(evening: Bench) -> None:
    for name in ("tuesday", "wednesday", "thursday", "friday"):
        await a_day(evening, name)
        if name != "friday":
            evening.clock.jump(86_400)
    days = {
        (): ("friday",),
        (("since", "yesterday"),): ("thursday", "friday"),
        (("since", "yesterday"), ("until", "yesterday")): ("thursday",),
        (("since", "2026-11-24"), ("until", "2026-11-25")): ("tuesday", "wednesday"),
        (("since", "2026-11-26 16:59"), ("until", "2026-11-26T17:01")): ("thursday",),
        (("since", "2026-11-26 17:01"), ("until", "2026-11-26 23:00")): (),
    }
    for asked, told in days.items():
        said = await looked(evening, **dict(asked))
        for name in ("tuesday", "wednesday", "thursday", "friday"):
            assert all((kind.format(name) in said) == (name in told) for kind in KINDS), (asked, name, said)
        assert f"{2 * len(told)} signals came in, {len(told)} of them" in said
        assert not any(word in said for word in ("Hidden", "search", "waiting plants"))
    assert "Nothing was done." in said


@pytest.mark.parametrize(
    ("state", "told"), [("succeeded", True), ("failed", True), ("running", False), ("queued", False)]
)
async def test_a_worker_is_told_of_once_it_has_ended(evening: Bench, state: str, told: bool) -> None:
    run = WorkerRun("r", "c", "", "general", "collect", evening.clock.now() - 9, state=RunState(state))
    await evening.store.put(run, namespace=Namespace.RUN)
    assert (f"worker general {state}: collect" in await looked(evening)) == told


async def test_what_the_user_decided_is_told(evening: Bench) -> None:
    card = await evening.card(await evening.schedule("act", what="x"))
    await evening.approvals.reject(card.id, "not now")
    assert "the user rejected: do x: not now" in await looked(evening)


@pytest.mark.parametrize("since", ["lately", "2026-13-01", "tomorrow at 8"])
async def test_a_time_that_is_not_read_is_refused_in_words(evening: Bench, since: str) -> None:
    assert "say 'today', 'yesterday'" in await looked(evening, since=since)
    assert "not after" in await looked(evening, since="today", until="yesterday")


async def test_a_long_day_says_what_is_left_out(evening: Bench) -> None:
    for n in range(100):
        item = Notification(f"n{n}", f"Lunch {n}", "", "r", "", evening.clock.now() + n / 1000 - 1)
        await evening.store.put(item, namespace=Namespace.NOTIFICATION)
    said = await looked(evening)
    assert "[20 earlier lines left out; ask for a shorter time]" in said
    assert "Lunch 99" in said
