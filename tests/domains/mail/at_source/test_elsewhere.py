"""What was done with a mail elsewhere, told from its states, and what that ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pepper_tui.clock import ManualClock, Timers
from pepper_tui.domains.mail.at_source.elsewhere import Deed, Elsewhere, ReadEnds, fate
from pepper_tui.domains.mail.at_source.folder_uses import use_by_name
from pepper_tui.domains.mail.at_source.own_filing import BY_KEY
from pepper_tui.domains.mail.at_source.state import STATES, Copy, MailState, Mark, Use, mail_at, note_copies, noting
from pepper_tui.domains.notices.inbox import Inbox
from pepper_tui.model import (
    FROM_MODEL,
    OF_CALL,
    OPEN_TAG,
    Approval,
    CallState,
    ContextFilter,
    Effect,
    Gist,
    Moved,
    Namespace,
    Notification,
    Priority,
    ResolvedEffect,
    Signal,
    Step,
    ToolCall,
)
from pepper_tui.store import ContextStore, Subscriber
from tests.waiting import until


def copy(use: Use = "inbox", *marks: Mark, at: str = "1") -> Copy:
    return Copy(f"x:{use}/{at}", "work", use or "Lists", use, list(marks))


def state(*copies: Copy, by: str = "") -> MailState:
    return MailState("m1", list(copies), by)


@pytest.mark.parametrize(
    ("before", "now", "deed", "why"),
    [
        (state(copy()), state(copy("inbox", "answered")), "answered", "you answered it"),
        (state(copy()), state(copy("inbox", "answered", "seen")), "answered", "you answered it"),
        (state(copy()), state(copy("inbox", "answered", "deleted")), "answered", "you answered it"),
        (state(copy()), state(copy("inbox", "deleted")), "deleted", "it was deleted elsewhere"),
        (state(copy()), state(copy("trash")), "deleted", "it was deleted elsewhere"),
        (state(copy("inbox", "deleted")), state(), None, ""),
        (state(copy(), copy("archive", "deleted")), state(), "deleted", "it was deleted elsewhere"),
        (state(copy()), state(copy("junk")), "deleted", "you marked it as junk elsewhere"),
        (state(copy()), state(), "filed", "it was deleted or filed elsewhere"),
        (state(copy("")), state(), "filed", "it was deleted or filed elsewhere"),
        (state(copy()), state(copy("archive")), "filed", "filed elsewhere, in archive"),
        (state(copy()), state(copy("archive", "seen"), copy("")), "filed", "filed elsewhere, in Lists, archive"),
        (state(copy()), state(copy(), copy("archive")), None, ""),
        (state(copy(), copy("archive")), state(copy("archive")), "filed", "filed elsewhere, in archive"),
        (state(copy()), state(copy(), copy("trash", at="2")), None, ""),
        (state(copy("")), state(copy("archive")), None, ""),
        (state(copy()), state(copy("inbox", "seen")), "read", "you read it elsewhere"),
        (state(copy("")), state(copy("", "seen")), "read", "you read it elsewhere"),
        (state(copy()), state(copy("inbox", "flagged")), None, ""),
        (state(copy("inbox", "seen")), state(copy()), None, ""),
        (state(copy("inbox", "answered")), state(copy("inbox", "answered", "flagged")), None, ""),
        (state(), state(copy("inbox", "seen")), None, ""),
        (state(copy()), state(copy("inbox", "answered"), by="c"), "answered", "you answered it"),
        (state(copy()), state(copy("trash"), by="c"), "deleted", "it was deleted"),
        (state(copy()), state(copy("junk"), by="c"), "deleted", "you marked it as junk"),
        (state(copy()), state(by="c"), "filed", "it was deleted or filed"),
        (state(copy()), state(copy("archive"), by="c"), "filed", "filed, in archive"),
        (state(copy()), state(copy("inbox", "seen"), by="c"), "read", "you read it"),
        (state(copy(), by="c"), state(copy("archive")), "filed", "filed elsewhere, in archive"),
        (state(), state(), None, ""),
    ],
)
def test_what_was_done(before: MailState, now: MailState, deed: Deed | None, why: str) -> None:
    found = fate(before, now)
    assert (found.deed if found else None, found.why if found else "") == (deed, why)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("INBOX", "inbox"), ("Inbox", "inbox"), ("work/INBOX", "inbox"), ("Junk", "junk"), ("[Gmail]/Spam", "junk"),
        ("INBOX.Spam", "junk"), ("Junk E-mail", "junk"), ("Courrier indésirable", "junk"), ("Спам", "junk"),
        ("Courrier inde\u0301sirable", "junk"), ("Papierkorb", "trash"), ("INBOX.Trash", "trash"),
        ("Trash/2024", "trash"), ("Deleted Items", "trash"), ("Корзина", "trash"), ("Entwürfe", "drafts"),
        ("[Gmail]/All Mail", "archive"), ("Archiv", "archive"), ("Gesendete Objekte", "sent"),
        ("Éléments envoyés", "sent"), ("Lists", ""), ("", ""), ("Absent", ""), ("Trashy novels", ""), ("/", ""),
    ],
)  # fmt: skip
def test_what_a_folder_is_for_by_its_name(name: str, use: str) -> None:
    assert use_by_name(name) == use


# ---------------------------------------------------------------------------------------------------- what it ends


class Desk:
    """An inbox, and what follows the states; approvals are only named."""

    def __init__(self, store: ContextStore, clock: ManualClock, read_ends: ReadEnds = "quiet") -> None:
        self.store, self.clock = store, clock
        self.inbox = Inbox(store, clock, Timers(clock))
        self.recorded: list[str] = []
        self.withdrawn: list[str] = []
        self.subscriber = Subscriber(store)
        self.elsewhere = Elsewhere(store, self.inbox, self.withdraw, self.record, read_ends)

    async def withdraw(self, approval: str, why: str) -> None:
        self.withdrawn.append(approval)

    async def record(self, words: str, moved: Sequence[Moved]) -> None:
        self.recorded.append(words)

    async def __aenter__(self) -> Desk:
        await self.inbox.start()
        self.elsewhere.listen(self.subscriber)
        await self.subscriber.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.subscriber.stop()
        await self.inbox.stop()

    async def mail(self, ident: str, *marks: Mark, asks: str = "", signal: bool = True) -> None:
        """Take in a mail of one thread, with its signal or while that is still to be made."""
        async with noting(self.store):
            await self.store.store({"id": ident, "message_id": f"<{ident}>"}, namespace="raw.mail", context_id=ident)
            await note_copies(self.store, {ident: [copy("inbox", *marks, at=ident)]})
        if not signal:
            return
        facts: dict[str, Any] = {"raw": ident}
        made = Signal(
            f"signal_{ident}",
            "Hello",
            self.clock.now(),
            Priority.NORMAL,
            "mail",
            "",
            "mail:t",
            facts,
            gist=Gist(asks=asks),
        )
        await self.store.put(made, namespace="signals.mail")

    async def card(self, mail: str, priority: Priority = Priority.NORMAL, **more: Any) -> str:
        ident = f"{OF_CALL}ntf_{mail}" if more.get("origin") == FROM_MODEL else f"ntf_{mail}"
        item = Notification(
            ident,
            f"About {mail}",
            "",
            "",
            f"signals.mail:signal_{mail}",
            self.clock.now(),
            priority,
            matter="mail:t",
            **more,
        )
        await self.inbox.announce(item)
        return ident

    async def note(self, mail: str, *marks: Mark) -> None:
        async with noting(self.store):
            await note_copies(self.store, {mail: [copy("inbox", *marks, at=mail)]})
        await self.settle()

    async def moved(self, mail: str, use: Use, by: str = "") -> None:
        async with noting(self.store):
            await note_copies(self.store, {mail: [copy(use, at=mail)]}, [f"x:inbox/{mail}"], by)
        await self.settle()

    async def settle(self) -> None:
        """Return when all that was stored has been handled."""

        async def idle() -> bool:
            return not any((await self.store.waiting("mail.")).values())

        await until(idle)

    async def cards(self) -> dict[str, str]:
        found = await self.store.query(ContextFilter(namespaces=[Namespace.NOTIFICATION]))
        return {
            each.context_id.removeprefix(OF_CALL): f"{each.data['state']} {each.metadata.get('withdrawn', '')}".strip()
            for each in found
        }


async def test_only_the_cards_of_that_very_mail_end(store: ContextStore, clock: ManualClock) -> None:
    async with Desk(store, clock) as desk:
        for each in ("m1", "m2"):
            await desk.mail(each)
            await desk.card(each)
        await desk.note("m1", "answered")
        assert await desk.cards() == {"ntf_m1": "done you answered it", "ntf_m2": "new"}
        assert desk.recorded == ["closed, as you answered it: About m1"]
        await desk.inbox.back([Moved(Namespace.NOTIFICATION, "ntf_m1", "done", {})])
        await desk.note("m1", "answered", "flagged")
        assert await desk.cards() == {"ntf_m1": "new", "ntf_m2": "new"}  # what the user takes back stays


LOUD = {"priority": Priority.HIGH}


@pytest.mark.parametrize(
    ("read_ends", "asks", "more", "becomes"),
    [
        ("quiet", "", {}, "done you read it elsewhere"),
        ("quiet", "when?", {}, "seen"),
        ("quiet", "", LOUD, "seen"),
        ("quiet", "", {"priority": Priority.URGENT}, "seen"),
        ("quiet", "", {"kind": "question", "choices": [{"words": "yes", "arguments": {}}]}, "seen"),
        ("quiet", "", {"kind": "reminder"}, "new"),
        ("all", "when?", LOUD, "done you read it elsewhere"),
        ("none", "", {}, "seen"),
    ],
)
async def test_what_reading_ends(
    store: ContextStore, clock: ManualClock, read_ends: ReadEnds, asks: str, more: dict[str, Any], becomes: str
) -> None:
    async with Desk(store, clock, read_ends) as desk:
        await desk.mail("m1", asks=asks)
        await desk.card("m1", **more)
        await desk.note("m1", "seen")
        assert await desk.cards() == {"ntf_m1": becomes}
        if more.get("kind") != "reminder":
            await desk.note("m1", "seen", "answered")
            assert (await desk.cards())["ntf_m1"].startswith("done")


async def test_a_card_that_comes_after_its_mail_was_dealt_with_ends_at_once(
    store: ContextStore, clock: ManualClock
) -> None:
    async with Desk(store, clock) as desk:
        for each in ("m1", "m2", "m3"):
            await desk.mail(each)
        await desk.note("m1", "answered")
        await desk.note("m2", "flagged")
        await desk.note("m3", "answered")
        await desk.card("m1", origin=FROM_MODEL)
        await desk.card("m2")
        await desk.settle()
        assert await desk.cards() == {"ntf_m1": "done you answered it", "ntf_m2": "new"}


@pytest.mark.parametrize(
    ("origin", "given", "root", "ends"),
    [
        ("", "", "", True),  # a rule's, or that of an answer that was waited for: Pepper was away, or out of order
        (FROM_MODEL, "signals.mail:signal_m1", "signal", True),
        (FROM_MODEL, "signals.mail:signal_m2", "signal", False),  # it only names this mail
        (FROM_MODEL, "signals.mail:signal_m1", "user", False),
    ],
)
@pytest.mark.parametrize("signal", [True, False])
async def test_a_card_that_is_late_by_an_hour_ends_if_the_mail_itself_is_its_cause(
    store: ContextStore, clock: ManualClock, origin: str, given: str, root: str, ends: bool, signal: bool
) -> None:
    async with Desk(store, clock) as desk:
        await desk.mail("m1", signal=signal or bool(origin))
        await desk.note("m1", "answered")
        await clock.advance(3_600)
        step = Step("s", clock.now(), [given])
        await store.put(step, namespace=Namespace.STEP)
        call = ToolCall("ntf_m1", "notify", {}, Effect.LOCAL, clock.now(), "step:s", root=root)
        await store.put(call, namespace=Namespace.TOOL_CALL)
        await desk.card("m1", origin=origin)
        await desk.settle()
        assert await desk.cards() == {"ntf_m1": "done you answered it" if ends else "new"}


@pytest.mark.parametrize("use", ["archive", "trash", "junk"])
@pytest.mark.parametrize("by_key", [True, False])
async def test_what_pepper_filed_ends_the_cards_that_the_users_key_has_not(
    store: ContextStore, clock: ManualClock, use: Use, by_key: bool
) -> None:
    async with Desk(store, clock) as desk:
        for each in ("m1", "m2", "m3"):
            await desk.mail(each)
        await desk.card("m1")  # the key has ended it, and was taken back
        await clock.advance(1.0)
        origin = BY_KEY if by_key else "step:s"
        await filing(store, clock, ["m1", "m2", "m3"], use, "", CallState.SUCCEEDED, origin)
        await desk.card("m2")
        await desk.settle()
        for each in ("m1", "m2", "m3"):
            await desk.moved(each, use, by="call_1")
        await desk.card("m3")
        await desk.settle()
        cards = await desk.cards()
        ended = {name: each.split(" ")[0] for name, each in cards.items()}
        assert ended == {"ntf_m1": "new" if by_key else "done", "ntf_m2": "done", "ntf_m3": "done"}
        assert "elsewhere" not in str(cards)
        assert len(desk.recorded) == (0 if by_key else 3)


@pytest.mark.parametrize(
    ("act", "folder", "state", "use", "named"),
    [
        ("archive", "", CallState.ATTEMPTED, "archive", True),
        ("archive", "", CallState.SUCCEEDED, "archive", True),
        ("archive", "", CallState.UNKNOWN, "archive", True),
        ("archive", "", CallState.FAILED, "archive", False),
        ("trash", "", CallState.ATTEMPTED, "trash", True),
        ("trash", "", CallState.ATTEMPTED, "archive", False),
        ("move", "INBOX", CallState.ATTEMPTED, "archive", False),
        ("flag", "", CallState.ATTEMPTED, "archive", False),
    ],
)
async def test_a_feed_that_sees_peppers_own_filing_first_does_not_call_it_done_elsewhere(
    store: ContextStore, clock: ManualClock, act: str, folder: str, state: CallState, use: Use, named: bool
) -> None:
    async with Desk(store, clock) as desk:
        for each in ("m1", "m2"):
            await desk.mail(each)
            await desk.card(each)
        await filing(store, clock, ["m1"], act, folder, state)
        for each in ("m1", "m2"):
            await desk.moved(each, use)
        cards = await desk.cards()
        assert ["elsewhere" in cards[each] for each in ("ntf_m1", "ntf_m2")] == [not named, True]


async def test_what_was_done_elsewhere_ends_the_cards_though_peppers_own_act_sees_it_first(
    store: ContextStore, clock: ManualClock
) -> None:
    async with Desk(store, clock) as desk:
        await desk.mail("m1")
        await desk.card("m1")
        await clock.advance(1.0)
        await filing(store, clock, ["m1"], "flag", "", CallState.SUCCEEDED, BY_KEY)
        await desk.moved("m1", "archive", by="call_1")
        assert await desk.cards() == {"ntf_m1": "done filed elsewhere, in archive"}


async def filing(
    store: ContextStore,
    clock: ManualClock,
    mails: list[str],
    act: str,
    folder: str,
    state: CallState,
    origin: str = "step:s",
) -> None:
    """A call that files ``mails``, in the midst of its attempt or just after it."""
    payload = {"act": act, "folder": folder, "mails": [{"id": mail} for mail in mails]}
    now = clock.now()
    ended = now if state in (CallState.SUCCEEDED, CallState.FAILED) else None
    call = ToolCall("call_1", "file_mail", {}, Effect.WRITE, now, origin, state=state, approval="apr_1",
                    started_at=now, ended_at=ended)  # fmt: skip
    effect = ResolvedEffect("file_mail", "", "work", "File", [], payload)
    await store.put(Approval("apr_1", "call_1", effect.data(), effect.digest, now, 1e12), namespace=Namespace.APPROVAL)
    await store.put(call, namespace=Namespace.TOOL_CALL, type=call.name, tags=[OPEN_TAG] if call.open else [])


BOSS = {"name": "", "address": "boss@example.com"}
STRANGER = {"name": "", "address": "mallory@evil.example"}


@pytest.mark.parametrize("mark", ["answered", "deleted"])
@pytest.mark.parametrize(
    ("answers", "dealt_with", "other", "goes"),
    [
        ("<m1>", "first", STRANGER, {"answered", "deleted"}),
        ("<m1>", "second", STRANGER, set()),  # anybody can write the Message-ID of a mail that they have seen
        ("second", "first", STRANGER, set()),
        ("second", "second", STRANGER, {"answered", "deleted"}),
        ("<m1>", "first", BOSS, {"answered"}),  # the copy by a list goes, and the mail itself still waits
        ("<m1>", "second", BOSS, {"answered"}),
        ("second", "both", BOSS, {"answered", "deleted"}),
    ],
)
@pytest.mark.parametrize("late", [False, True])
async def test_the_draft_of_an_answer_ends_with_its_own_mail(
    store: ContextStore,
    clock: ManualClock,
    mark: Mark,
    answers: str,
    dealt_with: str,
    other: dict[str, str],
    goes: set[Mark],
    late: bool,
) -> None:
    fields = {"fields": {"in_reply_to": "<m1>"}}
    effect = ResolvedEffect("draft_reply", "", "", "Send mail", [], fields)
    call = ToolCall("call_1", "draft_reply", {"message_id": answers}, Effect.SEND, clock.now(), "scheduler")
    card = Approval("approval_1", call.id, effect.data(), effect.digest, clock.now(), clock.now() + 9e9)
    async with Desk(store, clock) as desk:
        for ident, sender in (("first", BOSS), ("second", other)):
            async with noting(store):
                raw = {"id": ident, "message_id": "<m1>", "sender": sender}
                await store.store(raw, namespace="raw.mail", context_id=ident, tags={"message:<m1>"})
                await note_copies(store, {ident: [copy(at=ident)]})
        await store.put(call, namespace=Namespace.TOOL_CALL)
        if not late:
            await store.put(card, namespace=Namespace.APPROVAL, tags={OPEN_TAG})
            await desk.settle()
        for ident in ("first", "second") if dealt_with == "both" else (dealt_with,):
            await desk.note(ident, mark)
        if late:
            await store.put(card, namespace=Namespace.APPROVAL, tags={OPEN_TAG})
            await desk.settle()
        if late and other is BOSS:  # a late one is judged by the mail alone that it names
            goes = set() if dealt_with == "second" else {"answered", "deleted"}
        assert bool(desk.withdrawn) == (mark in goes)


async def test_a_change_while_nothing_followed_is_made_up_for(store: ContextStore, clock: ManualClock) -> None:
    async with Desk(store, clock) as desk:
        await desk.mail("m1")
        await desk.card("m1")
        await desk.settle()
    async with noting(store):
        await note_copies(store, {"m1": [copy("inbox", "answered", at="m1")]})
    async with Desk(store, clock) as desk:
        await desk.settle()
        assert await desk.cards() == {"ntf_m1": "done you answered it"}


async def test_two_who_note_the_same_mail_at_once_lose_neither_copy(store: ContextStore) -> None:
    import asyncio

    async def note(at: str) -> None:
        async with noting(store):
            await note_copies(store, {"m1": [copy("inbox", at=at)]})

    await asyncio.gather(*(note(str(number)) for number in range(20)))
    found = await store.get("m1", namespace=STATES)
    assert found is not None
    assert len(MailState.of(found).copies) == 20
    known = await mail_at(store, "x:inbox/7")
    assert known is not None
    await note("7")
    assert (await store.get("m1", namespace=STATES)) == found  # the same is no change
    async with noting(store):
        await note_copies(store, {"m1": [replace(copy("inbox", at="7"), marks=["seen"])]}, ["x:inbox/8"])
    left = await store.get("m1", namespace=STATES)
    assert left is not None
    assert len(MailState.of(left).copies) == 19
    assert await mail_at(store, "x:inbox/8") is None
