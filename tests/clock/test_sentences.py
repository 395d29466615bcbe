"""A sentence as it is typed, and what is stored of it: the whole engine without a model, on 28 November 2026."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import parse_config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import Approval, AssistantMessage, ContextFilter, Namespace, Notification, Reminder
from tests.waiting import until

BERLIN = ZoneInfo("Europe/Berlin")
SATURDAY = datetime(2026, 11, 28, 12, 0, tzinfo=BERLIN).timestamp()
CONFIG = '[user]\nname = "Me"\nzone = "Europe/Berlin"\nlocale = "{locale}"\n[calendar]\npaths = ["work.ics"]\n'


@pytest.fixture
def locale() -> str:
    return "en"


@pytest.fixture
async def engine(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, locale: str
) -> AsyncIterator[Engine]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    clock.jump(SATURDAY - clock.now())
    (tmp_path / "work.ics").write_text("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nEND:VCALENDAR\r\n")
    config = parse_config(CONFIG.format(locale=locale), tmp_path / "config.toml")
    opened = await Engine.open(tmp_path, config, clock)
    await opened.start(feeds=False)
    try:
        yield opened
    finally:
        await opened.close()


async def reminders(engine: Engine) -> list[tuple[str, str, str]]:
    found = await engine.store.query(ContextFilter(namespaces=[Namespace.REMINDER]))
    each = [Reminder.of(context) for context in found]
    return [(r.text, f"{datetime.fromtimestamp(r.due, BERLIN):%a %d %b %Y %H:%M}", r.rule) for r in each]


async def cards(engine: Engine) -> list[Approval]:
    found = await engine.store.query(ContextFilter(namespaces=[Namespace.APPROVAL]))
    return [Approval.of(context) for context in found]


async def questions(engine: Engine) -> list[Notification]:
    found = await engine.store.query(ContextFilter(namespaces=[Namespace.NOTIFICATION]))
    return [Notification.of(context) for context in found]


async def replies(engine: Engine) -> str:
    found = await engine.store.query(ContextFilter(namespaces=[Namespace.ASSISTANT_MESSAGE], newest_first=False))
    return "\n".join(AssistantMessage.of(context).text for context in found)


async def replied(engine: Engine, words: str) -> None:
    async def there() -> bool:
        return words in await replies(engine)

    await until(there, what=words)


@pytest.mark.parametrize(
    ("sentence", "text", "due", "rule"),
    [
        ("remind me to call Ann every monday at 8", "call Ann", "Mon 30 Nov 2026 08:00", "FREQ=WEEKLY;BYDAY=MO"),
        ("remind me every monday at 8 to water plants", "water plants", "Mon 30 Nov 2026 08:00",
         "FREQ=WEEKLY;BYDAY=MO"),
        ("remind me to call Ann friday at 9", "call Ann", "Fri 04 Dec 2026 09:00", ""),
        ("remind me to call Ann at 9", "call Ann", "Sat 28 Nov 2026 21:00", ""),
        ("remind me to call Ann at 5", "call Ann", "Sat 28 Nov 2026 17:00", ""),
        ("remind me to call Ann at 8", "call Ann", "Sat 28 Nov 2026 20:00", ""),
        ("remind me to call Ann monday at 8", "call Ann", "Mon 30 Nov 2026 08:00", ""),
        ("remind me to stretch every day at 9", "stretch", "Sun 29 Nov 2026 09:00", "FREQ=DAILY"),
        ("remind me about Bob tomorrow at 15", "Bob", "Sun 29 Nov 2026 15:00", ""),
        ("remind me to call Ann tomorrow at 8", "call Ann", "Sun 29 Nov 2026 08:00", ""),
        ("remind me to call Ann tomorrow morning at 8", "call Ann", "Sun 29 Nov 2026 08:00", ""),
        ("remind me to call Ann tomorrow at 7", "call Ann", "Sun 29 Nov 2026 07:00", ""),
        ("remind me to call Ann tuesday at 10", "call Ann", "Tue 01 Dec 2026 10:00", ""),
        ("remind me to call Ann friday at 16", "call Ann", "Fri 04 Dec 2026 16:00", ""),
        ("remind me to call Ann tonight at 9", "call Ann", "Sat 28 Nov 2026 21:00", ""),
        ("remind me to pay rent on 1.12.", "pay rent", "Tue 01 Dec 2026 09:00", ""),
        ("remind me to wrap presents on 24.12.", "wrap presents", "Thu 24 Dec 2026 09:00", ""),
        ("remind me to pay tax on 5.1.", "pay tax", "Tue 05 Jan 2027 09:00", ""),
        ("remind me to plan every weekday at 8:30", "plan", "Mon 30 Nov 2026 08:30",
         "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("remind me every month on the 1st to pay rent", "pay rent", "Tue 01 Dec 2026 09:00",
         "FREQ=MONTHLY;BYMONTHDAY=1"),
        ("remind me to water plants every sat and sun at 10", "water plants", "Sun 29 Nov 2026 10:00",
         "FREQ=WEEKLY;BYDAY=SA,SU"),
        ("remind me to swim every other tuesday", "swim", "Tue 01 Dec 2026 09:00", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
        ("remind me to file every last friday", "file", "Fri 25 Dec 2026 09:00", "FREQ=MONTHLY;BYDAY=-1FR"),
        ("remind me to file on the 31st every month", "file", "Thu 31 Dec 2026 09:00", "FREQ=MONTHLY;BYMONTHDAY=31"),
        ("remind me to stretch every 2 hours", "stretch", "Sat 28 Nov 2026 14:00", "FREQ=HOURLY;INTERVAL=2"),
        ("remind me in an hour and a half to call Ann", "call Ann", "Sat 28 Nov 2026 13:30", ""),
        ("remind me at half past 9 to call Ann", "call Ann", "Sat 28 Nov 2026 21:30", ""),
        ("erinnere mich morgen um 9 an Ann", "Ann", "Sun 29 Nov 2026 09:00", ""),
        ("erinnere mich jeden Montag um 8 daran, die Blumen zu gießen", "die Blumen zu gießen",
         "Mon 30 Nov 2026 08:00", "FREQ=WEEKLY;BYDAY=MO"),
    ],
)  # fmt: skip
async def test_a_reminder_comes_when_it_was_said(engine: Engine, sentence: str, text: str, due: str, rule: str) -> None:
    await engine.say(sentence)
    await until(lambda: reminders(engine))
    assert await reminders(engine) == [(text, due, rule)]


@pytest.mark.parametrize(
    ("sentence", "choices"),
    [
        ("remind me to call Ann every day at 5:30", ["Sun 29 Nov 05:30, every day", "Sat 28 Nov 17:30, every day"]),
        ("remind me to call Ann tomorrow at 5:30", ["Sun 29 Nov 05:30", "Sun 29 Nov 17:30"]),
        ("remind me to call Ann today at 9am", ["Sun 29 Nov 09:00"]),
        ("erinnere mich heute um 9 Uhr an Ann", ["Sun 29 Nov 09:00"]),
    ],
)
async def test_a_doubt_is_a_question(engine: Engine, sentence: str, choices: list[str]) -> None:
    await engine.say(sentence)
    await until(lambda: questions(engine))
    [question] = await questions(engine)
    assert [choice["words"] for choice in question.choices] == choices
    assert await reminders(engine) == []


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("remind me to stretch every 15 minutes until 5", "at most once an hour"),
        ("remind me to stretch every 15 minutes", "at most once an hour"),
        ("remind me to stretch every 2 hours until 5", "ends on a day"),
        ("remind me to call Ann in 90", "breaks off"),
        ("remind me to call Ann every monday at 8 and friday at 9", "two rhythms"),
        ("remind me yesterday to call Ann", "is past"),
        ("remind me in 5 minutes", "Of what?"),
        ("remind me to pay rent on", "is not a time"),
        ("remind me at 8 and at 9 to stretch", "two times of day"),
        ("remind me tomorrow at 8 and 9 to stretch", "two times of day"),
        ("remind me friday 9am or saturday to shop", "is not read"),
        ("remind me on feb 30 to party", "no hour 30"),
        ("erinnere mich morgen um 8 und um 9 an den Tee", "two times of day"),
        ("add lunch monday at 12 and tuesday at 13", "two times of day"),
        ("add standup every monday 9:00", "comes again and again"),
        ("add nothing at all", "Say it like this"),
    ],
)
async def test_what_is_not_understood_is_refused_in_words(engine: Engine, sentence: str, why: str) -> None:
    await engine.say(sentence)
    await replied(engine, why)
    assert await reminders(engine) == await cards(engine) == await questions(engine) == []


@pytest.mark.parametrize(
    ("sentence", "title", "when"),
    [
        ("add trip from monday to wednesday", "trip", "Mon 30 Nov 2026 to Wed 2 Dec 2026, all day"),
        ("add birthday of Ann on december 12", "birthday of Ann", "Sat 12 Dec 2026, all day"),
        ("add holiday dec 24 to dec 27", "holiday", "Thu 24 Dec 2026 to Sun 27 Dec 2026, all day"),
        ("add dentist 2026-12-03 14:00 to 15:30", "dentist", "Thu 3 Dec 2026, 14:00–15:30 (Europe/Berlin)"),
        ("add lunch with Ann friday at 12", "lunch with Ann", "Fri 4 Dec 2026, 12:00–13:00 (Europe/Berlin)"),
        ("add call with Bob tomorrow at 15", "call with Bob", "Sun 29 Nov 2026, 15:00–16:00 (Europe/Berlin)"),
        ("add lunch friday at 1 for 45 minutes", "lunch", "Fri 4 Dec 2026, 13:00–13:45 (Europe/Berlin)"),
        ("add dinner tomorrow evening", "dinner", "Sun 29 Nov 2026, 18:00–19:00 (Europe/Berlin)"),
        ("add Arzt am 3.12. um 14 Uhr", "Arzt", "Thu 3 Dec 2026, 14:00–15:00 (Europe/Berlin)"),
    ],
)
async def test_an_event_is_taken_apart_whole(engine: Engine, sentence: str, title: str, when: str) -> None:
    await engine.say(sentence)
    await until(lambda: cards(engine))
    [card] = await cards(engine)
    shown = {line.label: line.value for line in card.resolved.lines}
    assert (shown["Title"], shown["When"]) == (title, when)


@pytest.mark.parametrize(
    ("locale", "due"),
    [("en", "Tue 12 Jan 2027 09:00"), ("en-GB", "Tue 01 Dec 2026 09:00"), ("de", "Tue 01 Dec 2026 09:00")],
)
async def test_a_date_is_in_the_order_of_the_locale(engine: Engine, due: str) -> None:
    await engine.say("remind me to pay rent on 01/12")
    await until(lambda: reminders(engine))
    assert await reminders(engine) == [("pay rent", due, "")]


async def test_another_year_is_named(engine: Engine) -> None:
    await engine.say("remind me to pay tax on 5.1.")
    await replied(engine, "Tue 5 Jan 2027 09:00")
    await engine.say("list reminders")
    await until(lambda: replies_with(engine, "Tue 5 Jan 2027 09:00", 2))


async def replies_with(engine: Engine, words: str, times: int) -> bool:
    return (await replies(engine)).count(words) >= times


async def test_a_snooze_says_until_when_and_keeps_the_hour(engine: Engine) -> None:
    note = Notification("n", "Pizza", "", "because", "", engine.parts.ground.clock.now())
    await engine.store.put(note, namespace=Namespace.NOTIFICATION, tags=["open"])
    assert "until Mon 30 Nov 08:00" in await engine.snooze("notification:n", "monday at 8")
