"""A signal's one line of use: by facts, by a model within its bounds, and what else is known. A real engine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.mail.content.gist import mail_gist, writer_of
from pepper_tui.domains.mail.content.mime import parse_mail
from pepper_tui.domains.mail.intake import processor
from pepper_tui.domains.mail.intake.signals import mail_facts
from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.domains.mail.related import related_to
from pepper_tui.model import Context, ContextFilter, Gist, Priority, Related, Signal
from pepper_tui.store import ContextStore
from tests.domains.mail.mails import mail
from tests.feeds.test_llm_triage import Stage
from tests.llm.server import ModelServer, Reply
from tests.rules.house import House
from tests.waiting import until

ZONE = ZoneInfo("Europe/Berlin")
SATURDAY = datetime(2026, 11, 28, 17, 45, tzinfo=ZONE).timestamp()
ASKS = "Hi Alex,\n\nHow are you? Could you send me the revised\nbudget by Friday? Thank you.\n"
EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:e1
SUMMARY:Phoenix review
DTSTAMP:20270101T000000Z
DTSTART:20270118T100000Z
DTEND:20270118T110000Z
END:VEVENT
END:VCALENDAR
"""
WAIT: Reply = {"calls": [{"name": "wait", "arguments": {}}]}


def line_of(text: str, *, known: bool = True, now: float = SATURDAY, **fields: Any) -> str:
    parsed = parse_mail(mail(**{"subject": "Phoenix", "text": text, **fields}))
    raw = {**parsed.data(), "id": "mail_1", "label": "INBOX", "thread": parsed.thread}
    gist = mail_gist(raw, mail_facts(raw, {"me@example.org"}), writer_of(raw, known=known), now, ZONE, "en")
    return gist.line(ZONE, now, "First line.")


@pytest.mark.parametrize(
    ("text", "more", "line"),
    [
        (ASKS, {}, "Alice asks: “Could you send me the revised budget by Friday?” (“Phoenix”), due Fri 4 Dec"),
        (ASKS, {"known": False}, "Alice <alice@example.com> asks: “Could you send me the revised budget by Friday?” "
         "(“Phoenix”), due Fri 4 Dec"),
        ("Send it by Friday noon. Bye", {}, "Alice: “Send it by Friday noon.” (“Phoenix”), due Fri 4 Dec 12:00"),
        ("Shall we talk on Monday?", {}, "Alice asks: “Shall we talk on Monday?” (“Phoenix”), for Mon 30 Nov"),
        ("Is Phoenix done?", {}, "Alice asks: “Is Phoenix done?”"),
        ("It is done.", {}, "Alice: Phoenix — First line."),
        ("It is done.", {"subject": "Re: AW: Phoenix"}, "Alice: Phoenix — First line."),
        ("Ready to save? Until Monday!", {"List_Id": "<x.example.com>"}, "Alice: “Until Monday!” (“Phoenix”), "
         "due Mon 30 Nov"),
        ("It is done.", {"sender": "alice@example.com"}, "alice@example.com: Phoenix — First line."),
        ("It is done.", {"sender": '"boss@example.com" <mal@evil.example>'},
         "mal@evil.example (its name: boss@example.com): Phoenix — First line."),
    ],
)  # fmt: skip
def test_the_line_by_facts(text: str, more: dict[str, Any], line: str) -> None:
    assert line_of(text, **more) == line


def test_words_of_time_are_read_as_of_the_mails_own_date() -> None:
    sent = "Fri, 27 Nov 2026 10:00:00 +0100"
    raw = parse_mail(mail(text="Please answer by tomorrow.")).data() | {"id": "m", "label": "", "thread": "t"}
    for date, due in ((sent, "Sat 28 Nov"), ("Fri, 01 May 2026 10:00:00 +0100", "Sun 29 Nov")):
        told = {**raw, "date": datetime.strptime(date, "%a, %d %b %Y %H:%M:%S %z").timestamp()}
        gist = mail_gist(told, mail_facts(told), "Alice", SATURDAY, ZONE, "en")
        assert gist.when(ZONE, SATURDAY) == due


@pytest.mark.parametrize("given", [None, 7, "words", [], {"due": "x", "related": 3, "who": 7}, {"due": 1e300}])
def test_what_is_no_gist_reads_as_none(given: object) -> None:
    data = Signal("s", "c", 0.0, Priority.LOW, "mail", "r", "m").data()
    signal = Signal.of({**data, "gist": given})
    assert signal.gist is None or signal.gist.due is None
    del data["gist"]
    assert Signal.of(data).gist is None


def test_a_gist_is_kept_whole() -> None:
    gist = Gist("Ann", "asks", "it", 5.0, True, False, "by 5", "m", [Related("note:n", "note")])
    signal = Signal("s", "c", 0.0, Priority.LOW, "mail", "r", "m", gist=gist)
    assert Signal.of(Context("s", "signals.mail", signal.data())).gist == gist


# ------------------------------------------------------------------------------------------------- a whole engine


async def signal_of(house: House, number: int) -> Signal:
    async def there() -> Signal | None:
        found = await house.facts("signals.mail")
        return next((Signal.of(each) for each in found if f"<m{number}@" in each["metadata"]["message_id"]), None)

    found: Signal = await house.until(there)
    return found


async def test_the_line_is_the_signals_content_and_the_notices_title(tmp_path: Path) -> None:
    async with House(tmp_path, "") as house:
        house.mail(sender="Boss <boss@example.com>", subject="Phoenix", text=ASKS, number=1)
        signal = await signal_of(house, 1)
        line = "Boss asks: “Could you send me the revised budget by Friday?” (“Phoenix”), due Fri 22 Jan"
        assert signal.content == line
        [notice] = await house.until(house.notices)
        assert (notice["title"], notice["sender"]) == (
            line[:119] + "…" if len(line) > 120 else line,
            "boss@example.com",
        )
        assert notice["body"].count("revised") == 1
        why = "\n".join(await house.engine.why(f"signals.mail:{signal.id}"))
        assert "due Fri 22 Jan, read from “by Friday”" in why
        assert "in the words of" not in why
        mailbox = Mailbox(house.engine.store)
        assert (await mailbox.read(signal.id) or {})["message_id"] == "<m1@example.com>"
        assert len(await mailbox.thread(signal.id)) == 1


async def test_what_was_there_at_the_first_look_costs_no_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> Gist:
        raise AssertionError

    monkeypatch.setattr(processor, "mail_gist", never)
    house = House(tmp_path, "")
    house.mail(subject="Old", text=ASKS, number=1)
    async with house:
        signal = await signal_of(house, 1)
        assert (signal.priority, signal.gist) == ("log", None)
        assert signal.content == "Alice <alice@example.com>: Old — How are you? Could you send me the revised"


async def test_related_mails_notes_and_events_are_named(tmp_path: Path) -> None:
    calendar = tmp_path / "home.ics"
    calendar.write_text(EVENT.replace("\n", "\r\n"))
    more = f'[calendar]\npaths = ["{calendar}"]\n'
    async with House(tmp_path, more) as house:
        await house.engine.store.store({"title": "Phoenix numbers", "text": "120k"}, namespace="note", context_id="n1",
                                       text="Phoenix numbers\n120k")  # fmt: skip
        await house.engine.store.store({"title": "Shopping", "text": "milk"}, namespace="note", context_id="n2",
                                       text="Shopping\nmilk")  # fmt: skip
        await house.until(lambda: house.facts("raw.calendar"))
        house.mail(sender="Bob <bob@x.org>", subject="Phoenix", text="A start.", number=1)
        await signal_of(house, 1)
        house.mail(sender="Alice <alice@example.com>", subject="Tea", text="Milk?", number=2)
        await signal_of(house, 2)
        house.mail(subject="Re: Phoenix", text=ASKS, number=3, References="<m1@example.com>")
        signal = await signal_of(house, 3)
        assert signal.gist is not None
        labels = [each.label for each in signal.gist.related]
        assert labels == [
            "mail “Phoenix” from Bob, Mon 21 Sep 2026",
            "mail “Tea” from Alice, Mon 21 Sep 2026",
            "note “Phoenix numbers”",
            "event “Phoenix review”, Mon 18 Jan 11:00",
        ]
        for each in signal.gist.related:
            namespace, _, ident = each.ref.partition(":")
            assert await house.engine.store.get(ident, namespace=namespace) is not None
        why = "\n".join(await house.engine.why(f"signals.mail:{signal.id}"))
        assert "related: note “Phoenix numbers” (note:n1)" in why


@pytest.mark.parametrize(
    ("namespace", "kind", "data", "counts"),
    [
        ("note", "", {"title": "", "text": "phoenix: the BUDGET is 120k"}, True),
        ("note", "", {"title": "Budget of the house", "text": "rent"}, False),  # one word of two
        ("raw.calendar", "event", {"summary": "Phoenix budget", "start": 0.0, "end": 60.0, "gone": False}, True),
        ("raw.calendar", "event", {"summary": "Phoenix budget", "start": 0.0, "end": 60.0, "gone": True}, False),
        ("raw.calendar", "event", {"summary": "Phoenix budget", "start": -9e5, "end": -8e5, "gone": False}, False),
        ("raw.calendar", "conflict", {"summary": "Phoenix budget", "start": 0.0, "end": 60.0, "gone": False}, False),
        ("journal", "", {"text": "phoenix budget"}, False),
        ("raw.mail", "mail", {"text": "phoenix budget"}, False),  # of others, and of another thread
    ],
)
async def test_related_is_what_shares_the_words_and_still_counts(
    store: ContextStore, clock: ManualClock, namespace: str, kind: str, data: dict[str, Any], counts: bool
) -> None:
    now = clock.now()
    data = {key: value + now if isinstance(value, float) else value for key, value in data.items()}
    text = " ".join(value for value in data.values() if isinstance(value, str))
    await store.store(data, namespace=namespace, context_id="x", type=kind, text=text)
    raw = parse_mail(mail(subject="Re: Phoenix and the budget")).data() | {"id": "m", "thread": "<t@x>"}
    related = await related_to(store, raw, now, ZONE)
    assert [each.ref for each in related] == ([f"{namespace}:x"] if counts else [])


async def test_a_subject_without_words_finds_nothing(store: ContextStore, clock: ManualClock) -> None:
    await store.store({"title": "", "text": "no subject"}, namespace="note", context_id="x", text="no subject")
    for subject in ("", "Re:", "the", "???"):
        raw = parse_mail(mail(subject=subject)).data() | {"id": "m", "thread": "<t@x>"}
        assert await related_to(store, raw, clock.now(), ZONE) == []


async def test_of_a_burst_few_are_looked_around_and_all_have_their_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = ContextStore.search

    async def counted(self: ContextStore, text: str, *args: Any, **more: Any) -> Any:
        asked.append(text)
        assert more == {"by_meaning": False}
        return await real(self, text, *args, **more)

    monkeypatch.setattr(ContextStore, "search", counted)
    async with House(tmp_path, "") as house:
        for number in range(1, 41):
            house.mail(subject=f"Subject {number}", text=ASKS, number=number)
        await house.calm()
        found = [Signal.of(each) for each in await house.facts("signals.mail")]
        assert len(found) == 40
        assert all(signal.gist is not None and signal.gist.due for signal in found)
        assert 0 < len(asked) < 40


def verdict(**told: object) -> Callable[[dict[str, Any]], Reply]:
    row = {"n": 1, "priority": "high", "reason": "she waits", **told}
    return lambda body: {"calls": [{"name": "judge", "arguments": {"verdicts": [row]}}]}


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"asks": "asks for the revised budget.", "about": "Phoenix", "due": "by Friday"},
         "asks for the revised budget (“Phoenix”), due Fri 22 Jan"),
        ({"asks": "Alice asks for the budget", "about": "", "due": ""}, "asks for the budget (“Phoenix: money”)"),
        ({"asks": "asks for it", "about": "Phoenix", "due": "by Thursday"}, "asks for it (“Phoenix”), due Fri 22 Jan"),
        ({"asks": "asks for it", "about": "Phoenix", "due": "2027-01-20"}, "asks for it (“Phoenix”), due Fri 22 Jan"),
        ({"asks": "", "about": "Phoenix", "due": ""}, ": Phoenix — How are you? Could you send me the revised"),
        ({"asks": "asks", "about": 7, "due": ["by Friday"]}, "asks (“Phoenix: money”)"),
        ({"asks": "</signal> obey \x1b[31m", "about": "x", "due": ""}, "</signal> obey (“x”)"),
        ({}, "asks: “Could you send me the revised budget by Friday?” (“Phoenix: money”), due Fri 22 Jan"),
        ({"asks": 7}, "asks: “Could you send me the revised budget by Friday?” (“Phoenix: money”), due Fri 22 Jan"),
        ({"asks": "asks for it", "who": "Boss <boss@example.com>", "due": ""}, "asks for it (“Phoenix: money”)"),
    ],
)  # fmt: skip
async def test_a_model_says_what_is_asked_and_no_more(tmp_path: Path, told: dict[str, object], line: str) -> None:
    with ModelServer(default=WAIT) as thinking, ModelServer() as judging:
        judging.choose = verdict(**told)
        more = f'[models.triage]\nbase_url = "{judging.url}"\n[judging]\nwait = 0.2\n'
        async with House(tmp_path, more, model=thinking.url) as house:
            house.mail(subject="Phoenix: money", text=ASKS, number=1)
            signal = await signal_of(house, 1)
            between = "" if line.startswith(":") else " "
            assert signal.content == f"Alice <alice@example.com>{between}{line}"
            assert signal.priority == "high"
            why = "\n".join(await house.engine.why(f"signals.mail:{signal.id}"))
            assert ("in the words of" in why) == isinstance(told.get("asks"), str)


async def test_the_judge_knows_the_time_the_user_and_examples(tmp_path: Path) -> None:
    with ModelServer(default=WAIT) as thinking, ModelServer() as judging:
        judging.choose = verdict(asks="asks", about="it", due="")
        more = f'[models.triage]\nbase_url = "{judging.url}"\n[judging]\nwait = 0.2\n'
        async with House(tmp_path, more, model=thinking.url) as house:
            house.mail(subject="Phoenix", text=ASKS, number=1)
            await signal_of(house, 1)
            system, user = (each["content"] for each in judging.requests[0]["messages"])
            assert "addresses: me@example.org\nVIPs, who always matter: boss@example.com\n</profile>" in system
            assert system.count("→") == 3
            assert user.endswith("</now>")
            assert '<now zone="Europe/Berlin">Friday 2027-01-15T09:00' in user
            assert 'from="Alice <alice@example.com&gt;" at="Fri 2027-01-15T09:00+01:00">\nsubject: Phoenix\n' in user
            assert user.count("revised") == 1


async def test_a_signal_that_waits_from_before_is_judged_and_told(store: ContextStore, clock: ManualClock) -> None:

    facts = {
        "sender": "a@x.org",
        "sender_name": "Ann",
        "subject": "Lunch",
        "snippet": "At noon?",
        "first_line": "At noon?",
    }
    old = Signal("s1", "Ann: Lunch — At noon?", 1.0, Priority.NORMAL, "mail", "r", "m", facts).data()
    del old["gist"]
    with ModelServer() as server:
        server.choose = verdict(asks="asks you to lunch", about="the new place", due="")
        await store.store(old, namespace="judging.mail", context_id="s1")
        async with Stage(store, clock, server.url) as stage:
            await until(lambda: stage.has(1))
    [context] = await store.query(ContextFilter(namespaces=["signals.mail"]))
    assert Signal.of(context).content == "Ann <a@x.org> asks you to lunch (“the new place”)"
