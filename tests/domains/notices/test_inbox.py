"""The inbox: acts, undo over a restart, snooze, one matter; against a plain model. And why."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pepper_tui.clock import ManualClock
from pepper_tui.domains.notices.inbox import InboxError
from pepper_tui.domains.why import silence as silent
from pepper_tui.domains.why.silence import LISTED
from pepper_tui.domains.why.why import Why
from pepper_tui.model import (
    OPEN_TAG,
    REMINDER,
    ActState,
    CallState,
    Context,
    Effect,
    EngineError,
    Json,
    MatterKind,
    Namespace,
    Notification,
    NotificationState,
    Priority,
    ReminderState,
    RuleAct,
    Signal,
    Step,
    ToolCall,
)
from tests.domains.reminders.test_reminders import Desk
from tests.waiting import until


@pytest.fixture
async def desk(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Desk]:
    opened = await Desk(tmp_path / "store.db", clock).open()
    yield opened
    await opened.close()


async def notice(desk: Desk, name: str, matter: str = "", title: str = "") -> Notification:
    item = Notification(name, title or f"title {name}", "", "because", "", desk.clock.now(), matter=matter)
    await desk.store.put(item, namespace=Namespace.NOTIFICATION, tags=[OPEN_TAG])
    return item


async def state(desk: Desk, name: str) -> NotificationState:
    context = await desk.store.get(name, namespace=Namespace.NOTIFICATION)
    assert context is not None
    assert (OPEN_TAG in context.tags) == (context.data["state"] in ("new", "seen", "snoozed"))
    return Notification.of(context).state


async def becomes(desk: Desk, name: str, wanted: NotificationState) -> None:
    async def reached() -> bool:
        return await state(desk, name) is wanted

    await until(reached)


async def test_acts_and_undo_over_a_restart(desk: Desk) -> None:
    await notice(desk, "a")
    await notice(desk, "b")
    await desk.inbox.seen("notification:a")
    assert await desk.act("done", "a") == "done: title a"
    assert await desk.act("dismiss", "b") == "dismissed: title b"
    with pytest.raises(InboxError, match="dismissed already"):
        await desk.act("dismiss", "b")
    await desk.close()
    await desk.open()
    assert await desk.journal.undo() == "back: title b"
    assert await state(desk, "b") is NotificationState.NEW
    assert await desk.journal.undo() == "back: title a"
    with pytest.raises(EngineError, match="nothing to take back"):
        await desk.journal.undo()
    with pytest.raises(InboxError, match="no such item"):
        await desk.act("done", "zzz")


async def test_snoozed_ones_come_back_at_their_time_even_after_a_restart(desk: Desk) -> None:
    for name in ("a", "b"):
        await notice(desk, name)
        await desk.act("snooze", desk.clock.now() + (100 if name == "a" else 5000), name)
    await desk.asleep()
    for _ in range(4):
        await desk.clock.advance(30)
        await desk.asleep()
    await becomes(desk, "a", NotificationState.NEW)
    await desk.close()
    desk.clock.jump(5000)
    await desk.open()
    await becomes(desk, "b", NotificationState.NEW)
    with pytest.raises(InboxError, match="past"):
        await desk.act("snooze", desk.clock.now(), "a")


@pytest.mark.parametrize("who", ["seen", "back", "replaced"])
async def test_what_a_unit_moves_in_the_same_moment_is_looked_at_anew(
    desk: Desk, who: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A unit that was open let the inbox go before it was committed."""
    item = await notice(desk, "a", "m")
    item.matter_kind = "state"
    await desk.store.put(item, namespace=Namespace.NOTIFICATION, tags=[OPEN_TAG])
    if who == "back":
        await desk.act("snooze", desk.clock.now() + 100, "a")
        await desk.asleep()
    meanwhile = [{"n": 1}, {"n": 2}]
    read = desk.store.get

    async def get(context_id: str, *, namespace: str) -> Context | None:
        found = await read(context_id, namespace=namespace)
        if found is not None and context_id == "a" and meanwhile:
            tags, more = found.tags, found.metadata | meanwhile.pop()
            await desk.store.store(found.data, namespace=namespace, context_id="a", tags=tags, metadata=more)
        return found

    monkeypatch.setattr(desk.store, "get", get)
    if who == "seen":
        await desk.inbox.seen("a")
    elif who == "back":
        await desk.clock.advance(101)
    else:
        newer = Notification("b", "b", "", "because", "", desk.clock.now() + 1, matter="m", matter_kind="state")
        await desk.store.put(newer, namespace=Namespace.NOTIFICATION, tags=[OPEN_TAG])
    ends = {"seen": NotificationState.SEEN, "back": NotificationState.NEW, "replaced": NotificationState.DONE}
    await becomes(desk, "a", ends[who])
    assert not meanwhile
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_what_was_held_back_silences_nothing_after_a_crash(desk: Desk) -> None:
    """It was held back for the sake of another; where that one is gone with a crash, it has to be told all the same."""
    first, second = (Notification(name, "t", "", "because", "signals.mail:s", 0.0, matter="m") for name in "ab")
    second.state = NotificationState.DONE
    withdrawn = {"withdrawn": "the same was announced before"}
    await desk.store.put(second, namespace=Namespace.NOTIFICATION, metadata=withdrawn)
    await desk.close()
    await desk.open()
    assert await desk.inbox.announce(first) is not None


@pytest.mark.parametrize("kind", ["source", "matter", "state"])
async def test_what_a_unit_never_committed_silences_nothing(desk: Desk, kind: str) -> None:
    source = {"source": "signals.mail:s", "matter": "tool.result:c", "state": "disk:s"}[kind]
    matter_kind: MatterKind = "state" if kind == "state" else "event"

    def item(name: str) -> Notification:
        return Notification(name, "t", "", "because", source, desk.clock.now(), matter="m", matter_kind=matter_kind)

    async def failing() -> None:
        async with desk.store.unit():
            assert await desk.inbox.announce(item("a")) is not None
            assert await desk.inbox.announce(item("b")) is None  # in the unit itself it counts at once
            assert await asyncio.create_task(desk.inbox.announce(item("c"))) is not None
            raise RuntimeError("the disk")

    with pytest.raises(RuntimeError, match="the disk"):
        await failing()
    assert await desk.inbox.announce(item("d")) is None
    assert await state(desk, "c") is NotificationState.NEW


async def caught_up(desk: Desk) -> None:
    """Return once the inbox has taken in all that was stored until now: what comes after it, it holds back if told."""
    await notice(desk, "said", "caught up", "Said twice")
    await notice(desk, "repeated", "caught up", "Said twice")
    await becomes(desk, "repeated", NotificationState.DONE)


async def test_one_id_told_by_two_units_counts_as_it_was_committed(desk: Desk) -> None:
    """A follow-up that two mails answer at one moment: one of them wins, and the other is told by nobody yet."""

    def item(name: str, mail: str) -> Notification:
        return Notification(name, "t", "", "because", f"signals.mail:{mail}", desk.clock.now(), matter="m")

    async def losing() -> None:
        async with desk.store.unit():
            await desk.inbox.announce(item("answered", "second"))
            raise RuntimeError("a version conflict")

    with pytest.raises(RuntimeError, match="conflict"):
        await losing()
    await desk.inbox.announce(item("answered", "first"))
    await caught_up(desk)
    await desk.inbox.announce(item("x", "other"))
    assert await desk.inbox.announce(item("b", "second")) is not None


async def test_of_two_units_at_one_moment_the_later_is_held_back(desk: Desk) -> None:
    first, second = (Notification(name, "t", "", "because", "signals.mail:s", 0.0, matter="m") for name in "ab")
    async with desk.store.unit():
        await desk.inbox.announce(first)

        async def beside() -> None:
            async with desk.store.unit():
                await desk.inbox.announce(second)

        await asyncio.create_task(beside())
    await becomes(desk, "a", NotificationState.DONE)
    assert await state(desk, "b") is NotificationState.NEW


async def test_requests_of_one_matter_stand_beside_each_other(desk: Desk) -> None:
    await notice(desk, "a", "m1", "Book the room")
    await notice(desk, "b", "m1", "book the  room")  # the same once more
    await becomes(desk, "b", NotificationState.DONE)
    await notice(desk, "c", "m1", "Thanks!")
    await caught_up(desk)
    assert await state(desk, "a") is NotificationState.NEW
    assert await state(desk, "c") is NotificationState.NEW
    assert len((await desk.inbox.withdraw("m1", "answered"))[1]) == 2
    assert await state(desk, "c") is NotificationState.DONE
    again = Notification("d", "Thanks!", "", "r", "", desk.clock.now(), matter="m1")
    assert await desk.inbox.announce(again) is None
    context = await desk.store.get("d", namespace=Namespace.NOTIFICATION)
    assert context is not None
    assert (context.version, context.data["state"], OPEN_TAG in context.tags) == (1, "done", False)  # never shown
    assert context.metadata["withdrawn"]


async def test_what_an_answer_closes_can_be_taken_back(desk: Desk) -> None:
    for name in "ab":
        await desk.inbox.announce(
            Notification(name, f"request {name}", "", "r", f"signals.mail:{name}", 0.0, matter="m", sender="b@x.org")
        )
    async with desk.journal.recording() as act:
        act.words, act.moved = await desk.inbox.withdraw("m", "you answered it", senders={"b@x.org"})
    assert len(act.moved) == 2
    await desk.close()
    await desk.open()
    assert await desk.journal.undo() == "back: request b and 1 more"
    assert [await state(desk, name) for name in "ab"] == [NotificationState.NEW] * 2


async def test_of_a_state_the_newest_of_its_source_stands(desk: Desk) -> None:
    def told(ident: str, title: str, source: str, kind: MatterKind = "state") -> Notification:
        return Notification(ident, title, "", "r", source, desk.clock.now(), matter="disk", matter_kind=kind)

    async with desk.store.watch([Namespace.NOTIFICATION]) as live, desk.store.unit():
        await desk.inbox.announce(told("a", "91 %", "signals.disk:1"))
    [batch] = [await anext(aiter(live))]
    assert [update.context.context_id for update in batch] == ["a"]
    await desk.inbox.announce(told("b", "92 %", "signals.disk:2"))
    await desk.inbox.announce(told("c", "Your disk is full", "signals.mail:3"))  # another source can't replace it
    await desk.inbox.announce(told("d", "Somebody asks about the disk", "signals.disk:4", "event"))
    states = [await state(desk, ident) for ident in "abcd"]
    assert states == [NotificationState.DONE, NotificationState.NEW, NotificationState.NEW, NotificationState.NEW]


async def test_a_state_that_was_another_meanwhile_is_told_again(desk: Desk) -> None:
    def told(ident: str, title: str) -> Notification:
        return Notification(
            ident, title, "", "r", f"signals.ci:{ident}", desk.clock.now(), matter="ci", matter_kind="state"
        )

    assert await desk.inbox.announce(told("a", "red")) is not None
    await desk.act("done", "a")
    assert await desk.inbox.announce(told("b", "red")) is None  # as it was
    await desk.clock.advance(1)
    assert await desk.inbox.announce(told("c", "green")) is not None
    await desk.clock.advance(1)
    assert await desk.inbox.announce(told("d", "red")) is not None
    await desk.close()
    await desk.open()
    assert await desk.inbox.announce(told("e", "red")) is None


async def test_one_signal_is_told_once_whoever_tells(desk: Desk) -> None:
    def told(ident: str, title: str, kind: str = "notice") -> Notification:
        return Notification(ident, title, "", "r", "signals.mail:s1", desk.clock.now(), matter="m", kind=kind)

    assert await desk.inbox.announce(told("a", "Nora: numbers")) is not None
    assert await desk.inbox.announce(told("b", "Nora wants two numbers")) is None
    assert await desk.inbox.announce(told("c", "Brief: numbers", "brief")) is not None


async def test_several_are_closed_and_taken_back_as_one(desk: Desk) -> None:
    for ident in "abc":
        await notice(desk, ident, "m1", f"Request {ident}")
    assert await desk.act("done", "a", "b") == "done: Request a and 1 more"
    assert [await state(desk, ident) for ident in "abc"] == ["done", "done", "new"]
    assert await desk.journal.undo() == "back: Request a and 1 more"
    assert [await state(desk, ident) for ident in "abc"] == ["new", "new", "new"]
    await desk.act("dismiss", "b")
    await desk.act("done", "a", "b")  # b has moved on already: the others go
    assert [await state(desk, ident) for ident in "abc"] == ["done", "dismissed", "new"]


class InboxMachine(RuleBasedStateMachine):
    """Acts in any order, undone and done again, with restarts and time, against a dictionary of states."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.desk = Desk(Path(self.folder.name) / "store.db", ManualClock())
        self.states: dict[str, NotificationState] = {}
        self.until: dict[str, float] = {}
        self.did: list[tuple[str, NotificationState, float]] = []  # the item, what it became, and until when
        self.undid: list[tuple[str, NotificationState, float]] = []

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def begin(self) -> None:
        self.run(self.desk.open())

    @rule()
    def arrive(self) -> None:
        name = f"n{len(self.states)}"
        self.run(notice(self.desk, name))
        self.states[name] = NotificationState.NEW

    def fits(self, name: str, to: NotificationState, until: float) -> bool:
        """Whether the table lets the item become that."""
        now = self.states[name]
        closed = now in (NotificationState.DONE, NotificationState.DISMISSED)
        if to is NotificationState.SNOOZED:
            return not closed and now is not NotificationState.SNOOZED and until > self.desk.clock.now()
        return not closed

    @rule(number=st.integers(0, 5))
    def see(self, number: int) -> None:
        name = f"n{number}"
        if name in self.states:
            self.run(self.desk.inbox.seen(name))
            if self.states[name] is NotificationState.NEW:
                self.states[name] = NotificationState.SEEN
            self.check()

    @rule(number=st.integers(0, 5), act=st.sampled_from(["done", "dismiss", "snooze"]), wait=st.integers(1, 900))
    def act(self, number: int, act: str, wait: int) -> None:
        name = f"n{number}"
        if name not in self.states:
            return
        until = self.desk.clock.now() + wait if act == "snooze" else 0.0
        given = (act, until, name) if act == "snooze" else (act, name)
        to = {"done": NotificationState.DONE, "dismiss": NotificationState.DISMISSED}.get(
            act, NotificationState.SNOOZED
        )
        if not self.fits(name, to, until):
            with pytest.raises(InboxError):
                self.run(self.desk.act(*given))
            return
        self.run(self.desk.act(*given))
        self.states[name], self.until[name] = to, until
        self.did.append((name, to, until))
        self.undid.clear()
        self.check()

    @rule()
    def undo(self) -> None:
        taken = None
        while taken is None and self.did:
            name, to, until = self.did.pop()
            if self.states[name] is to and (to is not NotificationState.SNOOZED or self.until[name] == until):
                taken = (name, to, until)
        if taken is None:
            with pytest.raises(EngineError):
                self.run(self.desk.journal.undo())
        else:
            self.run(self.desk.journal.undo())
            self.states[taken[0]] = NotificationState.NEW
            self.undid.append(taken)
        self.check()

    @rule()
    def redo(self) -> None:
        again = None
        while again is None and self.undid:
            candidate = self.undid.pop()
            again = candidate if self.fits(*candidate) else None
        if again is None:
            with pytest.raises(EngineError):
                self.run(self.desk.journal.redo())
        else:
            self.run(self.desk.journal.redo())
            self.states[again[0]], self.until[again[0]] = again[1], again[2]
            self.did.append(again)
        self.check()

    @rule(seconds=st.integers(-500, 2000))
    def restart_after(self, seconds: int) -> None:
        self.run(self.desk.close())
        self.desk.clock.jump(seconds)
        for name, now in self.states.items():
            if now is NotificationState.SNOOZED and self.until[name] <= self.desk.clock.now():
                self.states[name] = NotificationState.NEW
        self.run(self.desk.open())
        self.check()

    def check(self) -> None:
        async def agrees() -> bool:
            return {name: await state(self.desk, name) for name in self.states} == self.states

        self.run(until(agrees, 5.0, "agreement with the plain model"))

    def teardown(self) -> None:
        if hasattr(self.desk, "store"):
            self.run(self.desk.close())
        self.loop.close()
        self.folder.cleanup()


TestNotificationTable: Callable[..., Any] = InboxMachine.TestCase
InboxMachine.TestCase.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


async def test_why_walks_from_a_notice_to_the_signal_and_its_cost(desk: Desk) -> None:
    now = desk.clock.now()
    signal = Signal("s1", "Mail from Ann", now, Priority.HIGH, "mail", "VIP", "m1", {"raw": "raw1"})
    silent = Signal("s2", "List mail", now, Priority.LOW, "mail", "from a mailing list", "m2")
    await desk.store.store({"id": "raw1"}, namespace="raw.mail")
    for item in (signal, silent):
        await desk.store.put(item, namespace="signals.mail")
    step = Step("st1", now, ["signals.mail:s1", "signals.mail:s2"], ["c1"], model="fake", prompt_tokens=9, cost=0.0123)
    await desk.store.put(step, namespace=Namespace.STEP)
    call = ToolCall("c1", "notify", {}, Effect.LOCAL, now, "step:st1", state=CallState.SUCCEEDED)
    await desk.store.put(call, namespace=Namespace.TOOL_CALL)
    item = Notification("n1", "Ann wrote", "", "she is a VIP", "tool.call:c1", now, matter="m1")
    await desk.store.put(item, namespace=Namespace.NOTIFICATION, tags=[OPEN_TAG])
    await desk.store.store({"text": "nothing to do", "step": "st1"}, namespace=Namespace.ASSISTANT_LOG)
    await desk.store.store({"signal": "signals.mail:s2"}, namespace=Namespace.UNJUDGED, context_id="signals.mail:s2")
    told = Why(desk.store, desk.clock, UTC)
    lines = await told.explain("notification:n1")
    text = "\n".join(lines)
    for words in (
        "Ann wrote",
        "she is a VIP",
        "call notify",
        "cost 0.0123",
        "Mail from Ann",
        "VIP",
        "raw raw.mail: raw1",
    ):
        assert words in text
    assert "step" in "\n".join(await told.explain("signal:s1"))
    silence = "\n".join(await told.explain("silence"))
    for words in ("1 low; 1 thoughts", "1 are not judged", "List mail", "no model to judge it", "nothing to do"):
        assert words in silence.replace(" signals", "")
    with pytest.raises(ValueError, match="nothing is known"):
        await told.explain("call:none")


async def test_only_what_was_held_back_is_listed_with_its_rule(desk: Desk) -> None:
    now = desk.clock.now()
    signals = [
        Signal("old", "Old mail", now, Priority.LOG, "mail", "was there when Pepper first looked", "m0"),
        Signal("list", "List mail", now, Priority.LOG, "mail", "an automatic mail", "m1"),
        Signal("drafted", "Boss wrote", now, Priority.HIGH, "mail", "your rule 'boss'", "m2"),
        Signal("carded", "Ann wrote", now, Priority.HIGH, "mail", "a VIP", "m3"),
        Signal("told", "Rain", now, Priority.HIGH, "mail", "a VIP", "m4"),
        Signal("left", "Left alone", now, Priority.HIGH, "mail", "a VIP", "m5"),
        Signal("queued", "Not taken", now, Priority.HIGH, "mail", "a VIP", "m6"),
    ]
    for signal in signals:
        await desk.store.put(signal, namespace="signals.mail")
    taken = [f"signals.mail:{signal.id}" for signal in signals[2:6]]
    await desk.store.put(Step("st", now, taken), namespace=Namespace.STEP)
    call = ToolCall("c", "draft_reply", {}, Effect.SEND, now, "step:st", matter="m3")
    await desk.store.put(call, namespace=Namespace.TOOL_CALL)
    act = RuleAct("boss|1|s|draft", "boss", "1", "boss", "signals.mail:drafted", "draft", now, state=ActState.DONE)
    await desk.store.put(act, namespace=Namespace.RULE_ACT)
    waits = RuleAct(
        "b|1|t|draft", "b", "1", "b", "signals.mail:x", "draft", now, state=ActState.DEFERRED, detail="room"
    )
    await desk.store.put(waits, namespace=Namespace.RULE_ACT)
    await notice(desk, "n", "m4")
    said = "\n".join(await Why(desk.store, desk.clock, UTC).explain("silence"))
    assert "1 high, 1 log signals" in said
    assert "Left alone (a VIP; a step took it and chose silence)" in said
    assert "List mail (an automatic mail; priority log: only logged)" in said
    assert "1 signals wait for a step" in said
    assert "1 acts of your rules wait:\n  1 × draft of 'b': room" in said
    assert "1 signals were there when Pepper first looked" in said
    for words in ("Boss wrote", "Ann wrote", "Rain", "Not taken", "Old mail"):
        assert words not in said


async def test_what_silence_does_not_list_is_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    now = desk.clock.now()
    for number in range(LISTED + 3):
        signal = Signal(f"s{number}", f"Mail {number}", now, Priority.LOG, "mail", "an automatic mail", f"m{number}")
        await desk.store.put(signal, namespace="signals.mail")
    lines = await Why(desk.store, desk.clock, UTC).explain("silence")
    assert "  and 3 more" in lines
    assert not any("only the newest are counted" in line for line in lines)
    monkeypatch.setattr(silent, "COUNTED", LISTED)
    lines = await Why(desk.store, desk.clock, UTC).explain("silence")
    assert any("only the newest are counted" in line for line in lines)


@pytest.mark.parametrize("turn", ["answered", "own", "cancelled", "over", "nothing", "before"])
async def test_a_snoozed_item_whose_matter_is_settled_does_not_come_back(desk: Desk, turn: str) -> None:
    async def settle() -> None:
        now = desk.clock.now()
        if turn == "answered":
            call = ToolCall("c", "draft_reply", {}, Effect.SEND, now, "s", matter="m", state=CallState.SUCCEEDED)
            await desk.store.put(call, namespace=Namespace.TOOL_CALL)
        elif turn != "nothing":
            facts = {"over": {"end": now + 300}, "own": {"kind": "own"}, "before": {"kind": "own"}}
            more = facts.get(turn, {"kind": "cancelled"})
            signal = Signal("s", "x", now, Priority.LOG, "mail", "r", "m", more)
            await desk.store.put(signal, namespace="signals.mail")

    if turn == "before":
        await settle()
        await desk.clock.advance(10)
    await notice(desk, "a", "m")
    await desk.act("snooze", desk.clock.now() + 600, "a")
    await desk.clock.advance(10)
    if turn != "before":
        await settle()
    await desk.close()
    desk.clock.jump(700)
    await desk.open()
    comes_back = turn in ("nothing", "before")
    await becomes(desk, "a", NotificationState.NEW if comes_back else NotificationState.DONE)
    silence = "\n".join(await Why(desk.store, desk.clock, UTC).explain("silence"))
    assert ("title a: " in silence) is not comes_back


@pytest.mark.parametrize("matter", ["mail:t", "event:own:u"])
@pytest.mark.parametrize("facts", [{"kind": "own"}, {"kind": "cancelled"}, {"end": 1.0}])
async def test_another_feed_settles_no_matter_of_mail_or_calendar(desk: Desk, matter: str, facts: Json) -> None:
    await notice(desk, "a", matter)
    await desk.act("snooze", desk.clock.now() + 600, "a")
    signal = Signal("s", "x", desk.clock.now() + 1, Priority.LOG, "mine", "r", matter, facts)
    await desk.store.put(signal, namespace="signals.mine")
    await desk.clock.advance(700)
    await becomes(desk, "a", NotificationState.NEW)


async def test_an_answer_to_an_offer_is_undone_by_the_table(desk: Desk) -> None:
    for act, state_after in (("done", ReminderState.FIRED), ("dismiss", ReminderState.CANCELLED)):
        await desk.remind(f"r-{act}", desk.clock.now() + 60)
        await desk.close()
        desk.clock.jump(3 * 86_400)
        await desk.open()
        await desk.settled(f"r-{act}", ReminderState.OFFERED)
        offer = next(n for n in await desk.notices() if n.kind == "offer" and n.state is NotificationState.NEW)
        await desk.act(act, offer.id)
        assert (await desk.reminder(f"r-{act}")).state is state_after
        assert REMINDER.allows(state_after, ReminderState.OFFERED)
        await desk.journal.undo()
        assert (await desk.reminder(f"r-{act}")).state is ReminderState.OFFERED
        await desk.act("done", offer.id)
