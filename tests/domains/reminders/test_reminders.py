"""Reminders: due while down, late, offered, repeating across summer time, jumps; against a plain model."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pepper_tui.clock import ManualClock, Timers
from pepper_tui.clock.recurrence import newest_and_next
from pepper_tui.domains.notices.inbox import Inbox
from pepper_tui.domains.reminders.keeper import Reminders
from pepper_tui.engine.acts.undo import UndoJournal
from pepper_tui.model import (
    OPEN_TAG,
    REMINDER,
    ContextFilter,
    Namespace,
    Notification,
    Priority,
    Reminder,
    ReminderState,
)
from pepper_tui.store import ContextStore
from tests.waiting import until

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86_400.0


class Desk:
    """Store, timers, reminders and inbox on one path, to be closed and opened again."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        self.path, self.clock = path, clock

    async def open(self) -> Desk:
        self.store = await ContextStore.open(self.path, self.clock)
        self.timers = Timers(self.clock)
        self.reminders = Reminders(self.store, self.clock, self.timers, BERLIN)
        self.inbox = Inbox(self.store, self.clock, self.timers)
        self.journal = UndoJournal(self.store, self.clock, {Namespace.NOTIFICATION: self.inbox})
        await self.timers.start()
        await self.inbox.start()
        await self.reminders.start()
        return self

    async def close(self) -> None:
        await self.reminders.stop()
        await self.inbox.stop()
        await self.timers.stop()
        await self.store.close()

    async def act(self, act: str, *args: Any) -> str:
        """What the user does: ``done``, ``dismiss`` or ``snooze`` of the inbox, and its record."""
        async with self.journal.recording() as recording:
            recording.words, recording.moved = await getattr(self.inbox, act)(*args)
        return recording.words

    async def remind(self, reminder_id: str, due: float, rule: str = "", zone: str = "Europe/Berlin") -> None:
        reminder = Reminder(reminder_id, f"text {reminder_id}", due, zone, self.clock.now(), rule, due if rule else 0.0)
        await self.store.put(reminder, namespace=Namespace.REMINDER, tags=[OPEN_TAG])

    async def asleep(self) -> None:
        """Until the sleeper lies on the clock, so that what the clock does next is seen."""

        def lies() -> bool:
            resting = bool(self.clock.sleepers)
            return not self.timers._changed.is_set() and (resting or self.timers._next() is None)

        await until(lies)

    async def notices(self) -> list[Notification]:
        rows = await self.store.query(ContextFilter(namespaces=[Namespace.NOTIFICATION], limit=1000))
        return [Notification.of(row) for row in rows]

    async def reminder(self, reminder_id: str) -> Reminder:
        context = await self.store.get(reminder_id, namespace=Namespace.REMINDER)
        assert context is not None
        return Reminder.of(context)

    async def settled(self, reminder_id: str, *states: ReminderState) -> None:
        async def reached() -> bool:
            return (await self.reminder(reminder_id)).state in states

        await until(reached)


@pytest.fixture
async def desk(tmp_path: Path, clock: ManualClock) -> Any:
    opened = await Desk(tmp_path / "store.db", clock).open()
    yield opened
    await opened.close()


async def reopen(desk: Desk) -> None:
    await desk.close()
    await desk.open()


async def test_a_reminder_fires_once_at_its_time(desk: Desk) -> None:
    await desk.remind("r1", desk.clock.now() + 120)
    await until(lambda: desk.timers.due("reminders") is not None)
    await desk.asleep()
    await desk.clock.advance(119)
    assert await desk.notices() == []
    await desk.asleep()
    await desk.clock.advance(2)
    await desk.settled("r1", ReminderState.FIRED)
    [notice] = await desk.notices()
    assert (notice.title, notice.kind, notice.source) == ("text r1", "reminder", "reminder:r1")
    assert "late" not in notice.body
    await reopen(desk)
    assert len(await desk.notices()) == 1


@pytest.mark.parametrize(
    "rule",
    ["FREQ=WEEKLY;INTERVAL=0", "FREQ=SECONDLY;COUNT=1", "FREQ=HOURLY;COUNT=3;BYMONTH=2;BYMONTHDAY=30", "nonsense"],
)
async def test_one_whose_rule_can_not_be_counted_holds_no_other_up(desk: Desk, rule: str) -> None:
    """It is told at its time, and says that it comes no more."""
    now = desk.clock.now()
    await desk.remind("bad", now + 60, rule)
    await desk.remind("sound", now + 61)
    await until(lambda: desk.timers.due("reminders") is not None)
    await desk.asleep()
    await desk.clock.advance(60)
    await desk.settled("bad", ReminderState.FIRED)
    await desk.asleep()
    await desk.clock.advance(2)
    await desk.settled("sound", ReminderState.FIRED)
    told = {notice.title: notice.body for notice in await desk.notices()}
    assert set(told) == {"text bad", "text sound"}
    assert "BYMONTHDAY=30" in rule or "can't be read" in told["text bad"]


async def test_due_while_down_fires_once_marked_late(desk: Desk) -> None:
    await desk.remind("r1", desk.clock.now() + 60)
    await desk.close()
    desk.clock.jump(3 * 3600)
    await desk.open()
    await desk.settled("r1", ReminderState.FIRED)
    [notice] = await desk.notices()
    assert "late by 2 hours" in notice.body


async def test_older_ones_become_one_item_that_asks(desk: Desk) -> None:
    for name, ahead in (("a", 60), ("b", 120), ("c", 2 * DAY)):
        await desk.remind(name, desk.clock.now() + ahead)
    await desk.close()
    desk.clock.jump(2.5 * DAY)
    await desk.open()
    await desk.settled("c", ReminderState.FIRED)
    await desk.settled("a", ReminderState.OFFERED)
    await desk.settled("b", ReminderState.OFFERED)
    offer = next(n for n in await desk.notices() if n.kind == "offer")
    assert len(await desk.notices()) == 2
    assert "text a" in offer.body
    assert "text b" in offer.body
    await desk.act("dismiss", offer.id)
    assert (await desk.reminder("a")).state is ReminderState.CANCELLED
    await desk.journal.undo()
    assert (await desk.reminder("a")).state is ReminderState.OFFERED
    await desk.act("done", offer.id)
    assert (await desk.reminder("b")).state is ReminderState.FIRED


async def test_a_repeating_one_fires_its_newest_occurrence_only(desk: Desk) -> None:
    due = desk.clock.now() + 60
    await desk.remind("r1", due, "FREQ=DAILY")
    await desk.close()
    desk.clock.jump(5 * DAY)
    await desk.open()

    async def fired() -> bool:
        return len(await desk.notices()) == 1

    await until(fired)
    [notice] = await desk.notices()
    assert notice.id == f"ntf_r1_{int(due + 4 * DAY)}"
    reminder = await desk.reminder("r1")
    assert reminder.state is ReminderState.WAITING
    assert reminder.due == due + 5 * DAY


async def test_suspend_is_noticed_within_the_longest_sleep(desk: Desk) -> None:
    await desk.remind("r1", desk.clock.now() + 3600)
    await until(lambda: desk.timers.due("reminders") is not None)
    await desk.asleep()
    desk.clock.jump(4000)
    await desk.clock.advance(31)
    await desk.settled("r1", ReminderState.FIRED)
    await until(lambda: desk.timers.jumped == pytest.approx(4000))


async def test_the_clock_set_back_fires_nothing_early(desk: Desk) -> None:
    await desk.remind("r1", desk.clock.now() + 100)
    await until(lambda: desk.timers.due("reminders") is not None)
    await desk.asleep()
    desk.clock.jump(-1000)
    await desk.clock.advance(500)
    assert await desk.notices() == []
    await desk.asleep()
    await desk.clock.advance(700)
    await desk.settled("r1", ReminderState.FIRED)


async def test_cancelled_ones_do_not_fire(desk: Desk) -> None:
    await desk.remind("r1", desk.clock.now() + 100)
    reminder = await desk.reminder("r1")
    reminder.state = REMINDER.move(reminder.state, ReminderState.CANCELLED)
    await desk.store.put(reminder, namespace=Namespace.REMINDER)
    await until(lambda: desk.timers.due("reminders") is None)
    await desk.clock.advance(200)
    assert await desk.notices() == []


@pytest.mark.parametrize(
    ("zone", "first", "wall"),
    [
        ("Europe/Berlin", (2026, 3, 27), (9, 0)),
        ("America/New_York", (2026, 10, 30), (9, 0)),
        ("Australia/Lord_Howe", (2026, 10, 2), (9, 0)),
        ("Asia/Kathmandu", (2026, 3, 27), (9, 0)),
    ],
)
def test_wall_time_holds_across_a_change_of_clocks(
    zone: str, first: tuple[int, int, int], wall: tuple[int, int]
) -> None:
    tz = ZoneInfo(zone)
    starts = at = datetime(*first, *wall, tzinfo=tz).timestamp()
    for _ in range(5):
        newest, following = newest_and_next("FREQ=DAILY", starts, at, at, tz)
        assert newest == at
        assert following is not None
        shown = datetime.fromtimestamp(following, tz)
        assert (shown.hour, shown.minute) == wall
        assert shown.toordinal() == datetime.fromtimestamp(at, tz).toordinal() + 1
        at = following


def test_a_skipped_wall_time_moves_on_and_hours_are_real_hours() -> None:
    starts = datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN).timestamp()
    _, following = newest_and_next("FREQ=DAILY", starts, starts, starts, BERLIN)
    assert following == datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN).timestamp()
    start = at = datetime(2026, 10, 24, 23, 0, tzinfo=BERLIN).timestamp()
    for _ in range(6):
        _, following = newest_and_next("FREQ=HOURLY", start, at, at, BERLIN)
        assert following == at + 3600
        at = following or 0.0


def test_count_and_until_end() -> None:
    starts = datetime(2026, 5, 1, 9, tzinfo=BERLIN).timestamp()
    assert newest_and_next("FREQ=DAILY;COUNT=3", starts, starts, starts + 9 * DAY, BERLIN) == (starts + 2 * DAY, None)
    until_rule = "FREQ=DAILY;UNTIL=20260503T070000Z"
    assert newest_and_next(until_rule, starts, starts, starts + 9 * DAY, BERLIN) == (starts + 2 * DAY, None)


class ReminderMachine(RuleBasedStateMachine):
    """One-shot and daily reminders under time, jumps, cancels and restarts, against a plain model."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.desk = Desk(Path(self.folder.name) / "store.db", self.clock)
        self.expected: dict[str, ReminderState] = {}
        self.due: dict[str, float] = {}
        self.daily: set[str] = set()
        self.fired: dict[str, set[int]] = {}

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def begin(self) -> None:
        self.run(self.desk.open())

    def pass_time(self) -> None:
        """The plain model's view of the time that has come."""
        now = self.clock.now()
        for name, due in self.due.items():
            if self.expected[name] is not ReminderState.WAITING or due > now:
                continue
            if name in self.daily:
                missed = int((now - due) // DAY)
                self.fired[name].add(int(due + missed * DAY))
                self.due[name] = due + (missed + 1) * DAY
            elif now - due <= DAY:
                self.fired[name].add(int(due))
                self.expected[name] = ReminderState.FIRED
            else:
                self.expected[name] = ReminderState.OFFERED
        self.run(until(self.agrees, 5.0, "agreement with the plain model"))

    async def agrees(self) -> bool:
        notices = {n.id for n in await self.desk.notices() if n.kind == "reminder"}
        wanted = {f"ntf_{name}_{at}" for name, times in self.fired.items() for at in times}
        for name, state in self.expected.items():
            reminder = await self.desk.reminder(name)
            if (reminder.state, reminder.due) != (state, self.due[name]):
                return False
        return notices == wanted

    @rule(ahead=st.integers(1, 200_000), daily=st.booleans())
    def add(self, ahead: int, daily: bool) -> None:
        name = f"r{len(self.expected)}"
        self.due[name] = self.clock.now() + ahead
        self.expected[name], self.fired[name] = ReminderState.WAITING, set()
        if daily:
            self.daily.add(name)
        self.run(self.desk.remind(name, self.due[name], "FREQ=DAILY" if daily else "", "UTC"))

        async def armed() -> bool:
            return name in self.desk.reminders._due

        self.run(until(armed))

    @rule(pick=st.randoms(use_true_random=False))
    def cancel(self, pick: Any) -> None:
        waiting = [n for n, s in self.expected.items() if s is ReminderState.WAITING]
        if not waiting:
            return
        name = pick.choice(waiting)

        async def cancelled() -> None:
            reminder = await self.desk.reminder(name)
            reminder.state = REMINDER.move(reminder.state, ReminderState.CANCELLED)
            await self.desk.store.put(reminder, namespace=Namespace.REMINDER)

        self.run(cancelled())
        self.expected[name] = ReminderState.CANCELLED

    @rule(seconds=st.integers(31, 100_000))
    def suspend_and_wake(self, seconds: int) -> None:
        self.run(self.desk.asleep())
        self.clock.jump(seconds)
        self.run(self.clock.advance(31))
        self.pass_time()

    @rule(seconds=st.integers(1, 5000))
    def set_back(self, seconds: int) -> None:
        self.run(self.desk.asleep())
        self.clock.jump(-seconds)
        self.run(self.clock.advance(0.5))
        self.pass_time()

    @rule(seconds=st.integers(0, 300_000))
    def restart_after(self, seconds: int) -> None:
        self.run(self.desk.close())
        self.clock.jump(seconds)
        self.run(self.desk.open())
        self.pass_time()

    @invariant()
    def nothing_open_is_forgotten(self) -> None:
        for name, state in self.expected.items():
            if state is ReminderState.WAITING and name in self.desk.reminders._due:
                assert self.desk.reminders._due[name] <= self.due[name]

    def teardown(self) -> None:
        if hasattr(self.desk, "store"):
            self.run(self.desk.close())
        self.loop.close()
        self.folder.cleanup()


TestReminderTable: Callable[..., Any] = ReminderMachine.TestCase
ReminderMachine.TestCase.settings = settings(
    max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize(
    ("root", "tainted", "source", "words", "priority"),
    [
        ("", False, "", "a reminder set on", Priority.HIGH),
        ("user", False, "", "a reminder set on", Priority.HIGH),
        ("user", True, "", "in answer to you, after it had read “Pay”; what read_mail gave", Priority.NORMAL),
        ("typed", True, "", "a reminder set on", Priority.HIGH),
        ("signal", True, "", "after it had read “Pay”; what read_mail gave", Priority.NORMAL),
        ("signal", True, "", "set by itself on", Priority.NORMAL),
        ("signal", False, "", "set by itself on", Priority.NORMAL),
        ("", False, "rules.act:a", "a rule of yours", Priority.HIGH),
    ],
)
async def test_a_reminder_says_who_set_it(
    desk: Desk, root: str, tainted: bool, source: str, words: str, priority: Priority
) -> None:
    due = desk.clock.now() + 60
    read = ["“Pay”", "what read_mail gave"] if tainted else []
    typed, root = root == "typed", "user" if root == "typed" else root
    reminder = Reminder("r", "text", due, "Europe/Berlin", desk.clock.now(), root=root, tainted=tainted, source=source,
                        typed=typed, read=read)  # fmt: skip
    await desk.store.put(reminder, namespace=Namespace.REMINDER, text="text", tags=[OPEN_TAG])
    await desk.asleep()
    await desk.clock.advance(61)
    await until(desk.notices, what="the reminder")
    [notice] = await desk.notices()
    assert words in notice.reason
    assert notice.priority is priority
    assert notice.origin == ("" if priority is Priority.HIGH else "model")
