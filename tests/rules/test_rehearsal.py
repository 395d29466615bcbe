"""What a rule would have done, who is meant by a name, and what came of rules."""

from __future__ import annotations

from datetime import UTC

from pepper_tui.clock import ManualClock
from pepper_tui.domains.calendar.event import Event
from pepper_tui.model import (
    ActState,
    Effect,
    Namespace,
    Notification,
    NotificationState,
    Rule,
    RuleAct,
    ToolCall,
    WorkerRun,
    act_id,
)
from pepper_tui.rules import Rehearsal, Senders, reports
from pepper_tui.store import ContextStore
from tests.rules.world import OWN, facts_of, put_mail, put_person

DAY = 86_400.0


async def test_mail_of_the_last_days_is_counted_and_the_newest_are_named(store: ContextStore, clock: ManualClock):
    for day in (40, 20, 3, 2, 1):
        await put_mail(store, clock, "Dana", "dana@x.org", f"Quote {day}", "the quote", day * DAY)
    await put_mail(store, clock, "Me", OWN, "Quote", "the quote", DAY)
    rehearsal = Rehearsal(store, clock, UTC, facts_of=facts_of)
    found = await rehearsal.of(Rule("r", "r", source="mail", words=["quote"]))
    assert found.count == 4
    assert found.examples[0].startswith("Dana, 14 Jan: Quote 1")
    assert found.words.startswith("In the last 30 days it would have matched 4 times: Dana, ")
    none = await rehearsal.of(Rule("r", "r", source="mail", words=["lease"]))
    assert none.words == "In the last 30 days it would never have matched."
    everything = await rehearsal.of(Rule("r", "r", words=["quote"]))
    assert everything.words.endswith("(I looked at mail and calendar, no other feed).")


async def test_a_partial_look_says_so(store: ContextStore, clock: ManualClock) -> None:
    for number in range(60):
        await put_mail(store, clock, "Dana", "dana@x.org", f"n{number}", "quote", (60 - number) * 60)
    rehearsal = Rehearsal(store, clock, UTC, facts_of=facts_of, most=10)
    found = await rehearsal.of(Rule("r", "r", source="mail", words=["quote"]))
    assert (found.count, found.examples[0]) == (10, "Dana, 15 Jan: n59")
    assert "(I looked at the newest 10 mails)" in found.words


async def test_only_people_whom_the_user_knows(store: ContextStore, clock: ManualClock) -> None:
    await put_mail(store, clock, "Ann", "ann@x.org", text="urgent", ago=60)
    await put_mail(store, clock, "Boss", "boss@y.org", text="urgent", ago=60)
    await put_mail(store, clock, "Spam", "spam@z.org", text="urgent", ago=60)
    await put_person(store, "ann@x.org")
    rehearsal = Rehearsal(store, clock, UTC, facts_of=facts_of, is_vip=lambda one: one == "boss@y.org")
    assert (await rehearsal.of(Rule("r", "r", source="mail", words=["urgent"], known=True))).count == 2


async def test_times_events_and_other_feeds(store: ContextStore, clock: ManualClock) -> None:
    async def between(start: float, end: float) -> list[Event]:
        assert end - start == 30 * DAY
        return [Event("u", "Sync with Nora", end - DAY, end), Event("v", "Lunch", end - DAY, end)]

    rehearsal = Rehearsal(store, clock, UTC, facts_of=facts_of, events=between)
    weekdays = await rehearsal.words(Rule("r", "r", cron="0 8 * * mon-fri"))
    assert weekdays == "In the last 30 days it would have come 22 times."
    assert "720 times" in await rehearsal.words(Rule("r", "r", every=3600))
    assert "more than 1,000 times" in await rehearsal.words(Rule("r", "r", cron="* * * * *"))
    met = await rehearsal.words(Rule("r", "r", source="calendar", words=["Nora"], before=15))
    assert met == "In the last 30 days it would have matched once: 14 Jan: Sync with Nora."
    signal = {"content": "build broke", "metadata": {"text": "red"}}
    await store.store(signal, namespace="signals.builds", context_id="1")
    assert (await rehearsal.of(Rule("r", "r", source="builds", words=["red"]))).count == 1


async def test_a_name_means_everybody_who_writes_under_it(store: ContextStore, clock: ManualClock) -> None:
    for _ in range(3):
        await put_mail(store, clock, "Nora Lindqvist", "nora@north.example")
    await put_mail(store, clock, "Nora Lindqvist", "nora.l@evil.example")
    await put_mail(store, clock, "Ben", "ben@x.org")
    await put_person(store, "nora@north.example")
    senders = Senders(store)
    assert [one.address for one in await senders.named("nora")] == ["nora@north.example", "nora.l@evil.example"]
    assert [one.address for one in await senders.named("Lindqvist Nora")] == [
        "nora@north.example",
        "nora.l@evil.example",
    ]
    [ben] = await senders.named("BEN")
    assert (ben.address, ben.mails, ben.written) == ("ben@x.org", 1, False)
    assert await senders.named("Be") == await senders.named(" ") == []


async def test_reports(store: ContextStore, clock: ManualClock) -> None:
    rule = Rule("quotes", "quotes", words=["q"], notify=True, draft="t")
    other = Rule("o", "o", cron="0 8 * * *", ask="x")
    for number in range(250):
        match = f"m{number}"
        for kind, state in (("notify", ActState.DONE), ("draft", ActState.DEFERRED if number > 247 else ActState.DONE)):
            act = RuleAct(act_id("quotes", "1", match, kind), "quotes", "1", "quotes", match, kind, 1.0, state=state)
            act.made = "notification:n1" if (number, kind) == (3, "notify") else ""
            await store.put(act, namespace=Namespace.RULE_ACT, type=kind, tags=["rule:quotes", str(state)])
    ask = RuleAct(act_id("o", "1", "m", "ask"), "o", "1", "o", "m", "ask", 5.0, state=ActState.DONE)
    await store.put(ask, namespace=Namespace.RULE_ACT, type="ask", tags=["rule:o", "done"])
    call = ToolCall("c1", "delegate", {}, Effect.LOCAL, 1.0, f"act:{ask.id}")
    await store.put(call, namespace=Namespace.TOOL_CALL)
    await store.put(WorkerRun("run1", "c1", "", "", "t", 1.0, spent=0.25), namespace=Namespace.RUN)
    notice = Notification("n1", "t", "b", "r", "s", 1.0, state=NotificationState.DISMISSED)
    await store.put(notice, namespace=Namespace.NOTIFICATION)
    quotes, asked = await reports(store, [rule, other], offline=True)
    assert quotes.acts == {"done": 498, "deferred": 2}
    assert (quotes.matches, quotes.dismissed, quotes.waits) == (250, 1, "2 drafts wait for room")
    assert (asked.matches, asked.acts, asked.cost, asked.last) == (1, {"done": 1}, 0.25, 5.0)
    assert asked.waits == "waits for a model"
    assert quotes.sentence.startswith("When anything says 'q'")
