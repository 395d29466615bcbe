from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Calendar, ClockEntry, Config, OwnFeed
from pepper_tui.connectors.clock.feed import ClockFeed
from pepper_tui.connectors.python.feed import load_own_feed
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.feed import CalendarFeed
from pepper_tui.feeds import Feed, Feeds
from pepper_tui.model import ContextFilter, Facts
from pepper_tui.store import ContextStore, Subscriber
from tests.feeds.ruled import triage_of
from tests.waiting import until

BERLIN = ZoneInfo("Europe/Berlin")
CONFIG = Config.model_validate(
    {
        "user": {"addresses": ["me@example.org"], "vips": ["boss@example.com"]},
        "mail": {"templates": {"ack": "Hi {name}"}},
        "watch": [
            {"name": "phoenix", "words": ["phoenix"], "draft": "ack"},
            {"name": "standup", "source": "calendar", "brief": 30},
        ],
    }
)


@pytest.mark.parametrize(
    ("facts", "priority", "reason"),
    [
        (Facts("mail", "a@x.y", text="about Phoenix."), "high", "your rule 'phoenix': says 'phoenix'"),
        (Facts("mail", "a@x.y", text="phoenixes", to=["me@example.org"]), "normal", "addressed to you"),
        (Facts("mail", "boss@example.com", name="Boss"), "high", "from Boss, a VIP"),
        (Facts("mail", "a@x.y", is_list=True), "low", "from a mailing list"),
        (Facts("mail", "a@x.y", automatic=True), "log", "an automatic mail"),
        (Facts("mail", "a@x.y", cc=["me@example.org"]), "low", "you are in Cc"),
        (Facts("mail", "me@example.org"), "log", "you sent it"),
    ],
)
def test_triage(facts: Facts, priority: str, reason: str) -> None:
    verdict = triage_of(CONFIG).judge(facts)
    assert (verdict.priority, verdict.reason) == (priority, reason)


OUTRANKS = [  # what a mail is or has, the stronger first: each settles it whatever else holds
    ({"sender": "me@example.org"}, "log", "you sent it"),
    ({"silent": "in the folder Junk"}, "log", "in the folder Junk"),
    ({"text": "about phoenix"}, "high", "your rule 'phoenix': says 'phoenix'"),
    ({"automatic": True}, "log", "an automatic mail"),
    ({"sender": "boss@example.com"}, "high", "from boss@example.com, a VIP"),
    ({"is_list": True}, "low", "from a mailing list"),
    ({"to": ["me@example.org"]}, "normal", "addressed to you"),
    ({"cc": ["me@example.org"]}, "low", "you are in Cc"),
    ({}, "low", "not addressed to you directly"),
]


@pytest.mark.parametrize("weaker", range(len(OUTRANKS)))
@pytest.mark.parametrize("stronger", range(len(OUTRANKS)))
def test_of_two_facts_the_stronger_settles_it(stronger: int, weaker: int) -> None:
    first, second = sorted((stronger, weaker))
    given, priority, reason = OUTRANKS[first]
    facts = Facts(**{"source": "mail", "sender": "a@x.y", **OUTRANKS[second][0], **given})  # type: ignore[arg-type]
    verdict = triage_of(CONFIG).judge(facts)
    assert (verdict.priority, verdict.reason) == (priority, reason)


RULES = Config.model_validate(
    {
        "user": {"addresses": ["me@example.org"]},
        "mail": {"templates": {"ack": "Hi {name}", "late": "Later"}},
        "watch": [
            {"name": "boss", "sender": "@example.com", "priority": "low", "draft": "ack"},
            {"name": "project", "thread": "phoenix launch", "priority": "urgent", "remind": "tomorrow 9am"},
            {"name": "team", "label": "team", "priority": "high", "draft": "late", "notify": True},
            {"name": "quiet", "words": ["newsletter"], "priority": "log"},
        ],
    }
)


@pytest.mark.parametrize(
    ("facts", "priority", "reason", "acts"),
    [
        (Facts("mail", "a@x.y", subject="Re: Phoenix Launch on Monday"), "urgent",
         "your rule 'project': thread 'phoenix launch'", [("project", ["remind"])]),
        (Facts("mail", "a@x.y", subject="Phoenix"), "low", "not addressed to you directly", []),
        (Facts("mail", "a@x.y", labels=["Team"]), "high", "your rule 'team': label 'team'",
         [("team", ["notify", "draft"])]),
        (Facts("mail", "a@x.y", labels=["Team/Old"]), "low", "not addressed to you directly", []),
        (Facts("mail", "a@example.com", subject="phoenix launch", labels=["team"]), "urgent",
         "your rule 'boss': from a@example.com; your rule 'project': thread 'phoenix launch'; "
         "your rule 'team': label 'team'",
         [("boss", ["draft"]), ("project", ["remind"]), ("team", ["notify", "draft"])]),
        (Facts("mail", "a@x.y", text="our newsletter", to=["me@example.org"]), "log",
         "your rule 'quiet': says 'newsletter'", []),
        (Facts("mail", "a@example.com", silent="in the folder Spam"), "log", "in the folder Spam", []),
    ],
)  # fmt: skip
def test_watches_by_thread_and_label_and_several_at_once(
    facts: Facts, priority: str, reason: str, acts: list[tuple[str, list[str]]]
) -> None:
    verdict = triage_of(RULES).judge(facts)
    assert (verdict.priority, verdict.reason) == (priority, reason)
    assert [(match["rule"], match["acts"]) for match in verdict.rules if match["acts"]] == acts
    assert all(match["template"] for match in verdict.rules if "draft" in match["acts"])


async def run(store: ContextStore, clock: ManualClock, feed: Feed) -> tuple[Feeds, Subscriber]:
    subscriber = Subscriber(store)
    feeds = Feeds([feed], store, clock, subscriber, BERLIN)
    feeds.listen()
    await subscriber.start()
    feeds.start()
    return feeds, subscriber


async def pass_until(store: ContextStore, clock: ManualClock, source: str, wanted: int, step: float = 20) -> list[str]:
    """Let time pass until ``source`` has ``wanted`` signals; their contents."""
    found: list[str] = []

    async def there() -> bool:
        nonlocal found
        await clock.advance(step)
        await asyncio.sleep(0.01)
        page = await store.query(ContextFilter(namespaces=[f"signals.{source}"]))
        found = [context.data["content"] for context in page]
        return len(found) >= wanted

    await until(there, 15)
    return found


def ics(*events: str) -> str:
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
        + "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
        + "END:VCALENDAR\r\n"
    )


def event(uid: str, start: float, more: str = "") -> str:
    at = datetime.fromtimestamp(start, UTC)
    return f"UID:{uid}\r\nSUMMARY:Sync {uid}\r\nDTSTART:{at:%Y%m%dT%H%M%SZ}\r\nDURATION:PT30M{more}"


async def test_agenda_over_a_change_of_clocks(tmp_path: Path) -> None:
    rule = "\r\nRRULE:FREQ=DAILY;COUNT=3"
    path = tmp_path / "a.ics"
    path.write_text(
        ics("UID:d\r\nSUMMARY:D\r\nDTSTART;TZID=Europe/Berlin:20260328T090000\r\nDURATION:PT1H" + rule,
            "UID:s\r\nSUMMARY:S\r\nDTSTART:20260328T090000Z\r\nRRULE:FREQ=SECONDLY")
    )  # fmt: skip
    agenda = Agenda([path], BERLIN)
    start = datetime(2026, 3, 27, tzinfo=UTC).timestamp()
    found = await agenda.between(start, start + 10 * 86400)
    assert [datetime.fromtimestamp(one.start, BERLIN).hour for one in found] == [9, 9, 9]
    assert "refused" in agenda.defects[0]


async def test_calendar(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    path = tmp_path / "c.ics"
    start = clock.now() + 7200
    path.write_text(ics(event("a", start), event("b", start + 3600), event("c", start + 7200)))
    feed = CalendarFeed(Calendar(paths=[path]), triage_of(CONFIG), Agenda([path], BERLIN))
    feeds, subscriber = await run(store, clock, feed)
    await pass_until(store, clock, "calendar", 3)
    path.write_text(ics(event("a", start), event("b", start + 3600, "\r\nSTATUS:CANCELLED"), event("c", start + 86400)))
    assert {one.split(":")[0] for one in await pass_until(store, clock, "calendar", 5)} == {
        "New event",
        "Cancelled",
        "Moved",
    }
    soon = [one for one in await pass_until(store, clock, "calendar", 7, 120) if one.startswith("Starts")]
    assert len(soon) == 2  # the brief at 30 minutes and the start at 10, of "a" alone
    assert all("Sync a" in one for one in soon)
    await feeds.stop()
    await subscriber.stop()


async def test_what_came_near_in_a_suspend_is_told_at_the_wake(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "c.ics"
    path.write_text(ics(event("a", clock.now() + 7200)))
    calendar = CalendarFeed(Calendar(paths=[path]), triage_of(CONFIG), Agenda([path], BERLIN))
    ticks = ClockFeed(triage_of(Config(clock=[ClockEntry(name="tick", text="now", every=5400)])), asyncio.Event())
    subscriber = Subscriber(store)
    feeds = Feeds([calendar, ticks], store, clock, subscriber, BERLIN)
    feeds.listen()
    await subscriber.start()
    feeds.start()
    await pass_until(store, clock, "calendar", 1)
    await until(lambda: clock.waiting_for_a_time == 2)
    clock.jump(7200 - 300)  # no monotonic time passes

    async def told() -> bool:
        raw = await store.query(ContextFilter(namespaces=["raw.*"], types=["starts_soon"]))
        return bool(raw) and await store.count(ContextFilter(namespaces=["raw.clock"])) >= 1

    await until(told)
    await feeds.stop()
    await subscriber.stop()


async def test_clock_fires_once_when_late(store: ContextStore, clock: ManualClock) -> None:
    config = Config(clock=[ClockEntry(name="tick", text="now", every=3600)])

    def feed() -> ClockFeed:
        return ClockFeed(triage_of(config), asyncio.Event())

    feeds, subscriber = await run(store, clock, feed())
    await pass_until(store, clock, "clock", 1, 100)
    await feeds.stop()
    clock.jump(5 * 3600)
    feeds = Feeds([feed()], store, clock, subscriber, BERLIN)
    feeds.start()
    await pass_until(store, clock, "clock", 2, 1)
    await clock.advance(60)
    assert await store.count(ContextFilter(namespaces=["raw.clock"])) == 2
    await feeds.stop()
    await subscriber.stop()


async def test_the_example_of_the_docs(store: ContextStore, clock: ManualClock) -> None:
    file = Path(__file__).parents[2] / "docs/examples/disk_feed.py"
    feed = load_own_feed(OwnFeed(name="disk", file=file), triage_of(CONFIG))
    assert feed.problem == ""
    feeds, subscriber = await run(store, clock, feed)
    assert "% full" in (await pass_until(store, clock, "disk", 1))[0]
    await feeds.stop()
    await subscriber.stop()


def test_a_broken_own_feed_is_told(tmp_path: Path) -> None:
    file = tmp_path / "f.py"
    file.write_text("NAME = 'f'\n\n1 / 0\n")
    assert f"{file}:3: ZeroDivisionError" in load_own_feed(OwnFeed(name="f", file=file), triage_of(CONFIG)).problem
