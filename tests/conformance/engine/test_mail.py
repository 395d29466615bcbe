"""All mail as threads: in which order, in windows, narrowed, read, as it changes; and what is done with it."""

from __future__ import annotations

import asyncio

import pytest

from pepper_tui.engine.protocol import EngineError
from pepper_tui.model import CallState, Namespace, ToolCall, Written
from tests.conformance.engine.stages import Stage, found
from tests.ui.fake_mail import mail, state


async def ids(stage: Stage, query: str = "", **more: object) -> list[str]:
    page = await stage.engine.mails(query, **more)  # type: ignore[arg-type]
    return [row.newest for row in page.rows]


async def test_unread_threads_come_first_then_by_date(stage: Stage) -> None:
    await stage.mail(*(mail(f"m{n}", at=1000.0 + n) for n in range(4)))
    await stage.mark(state("m1"), state("m3", "seen"))
    assert await ids(stage) == ["m1", "m3", "m2", "m0"]
    assert await ids(stage, newest=True) == ["m3", "m2", "m1", "m0"]


async def test_a_thread_is_one_row_and_is_read_from_the_oldest_on(stage: Stage) -> None:
    await stage.mail(
        mail("m1", "Rent", "How much?", at=1000.0, thread="<rent@x>"),
        mail("m2", "Re: Rent", "1,200", at=2000.0, thread="<rent@x>", name="Sam", address="SAM@example.com"),
        mail("m3", "Re: Rent", "Fine.", at=3000.0, thread="<rent@x>", attachments=[{"name": "a.pdf"}]),
    )
    await stage.mark(state("m1", "seen"), state("m2", "seen", use="sent"), state("m3", "flagged"))
    page = await stage.engine.mails()
    [row] = page.rows
    assert (row.newest, row.mails, row.people) == ("m3", ["m1", "m3"], ["", "Alice Doe"])
    assert (row.count, row.unread, row.subject, row.begin) == (3, 1, "Re: Rent", "Fine.")
    assert (row.flagged, row.attached, row.answered, row.folder) == (True, True, False, "INBOX")
    read = await stage.engine.mail_thread("m2")
    assert [(each.id, each.text, each.own, each.unread) for each in read] == [
        ("m1", "How much?", False, False), ("m2", "1,200", True, False), ("m3", "Fine.", False, True),
    ]  # fmt: skip
    assert await stage.engine.mail_thread(row.id) == read


async def test_a_window_begins_where_it_is_asked_to_or_holds_a_thread(stage: Stage) -> None:
    await stage.mail(*(mail(f"m{n}", at=1000.0 - n) for n in range(30)))
    assert await ids(stage, first=10, limit=3) == ["m10", "m11", "m12"]
    assert await ids(stage, first=99, limit=3) == ["m27", "m28", "m29"]
    page = await stage.engine.mails(around="<m20@example.com>", limit=5)
    assert (page.first, page.place, page.total) == (18, 20, 30)
    assert [row.newest for row in page.rows] == ["m18", "m19", "m20", "m21", "m22"]
    assert (await stage.engine.mails(around="<gone@example.com>")).place == -1


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("from:bob", ["m2"]),
        ("from:alice@example.com", ["m0", "m1"]),
        ("from:@example.org OR subject:rent", ["m2", "m1"]),
        ("is:unread", ["m0"]),
        ("is:read", ["m2"]),
        ("-from:bob", ["m0", "m1"]),
        ("to:me lunch", ["m0", "m2"]),
        ("before:1970-01-02 rent", ["m1"]),
        ("after:1970-01-02", []),
        ("is:flagged", ["m2"]),
        ("rent", ["m1"]),
        ("ren", ["m1"]),  # it may go on
        ("subject:re", ["m1"]),
        ("ren from:alice", []),
        ('"ren"', []),
        ("ren ", []),
        ("rent from:bob", []),
        ("old", []),
        ("in:trash", ["m3"]),
        ("-in:inbox old", []),
        ("rent OR in:trash", ["m3", "m1"]),
    ],
)
async def test_a_filter_narrows(stage: Stage, query: str, wanted: list[str]) -> None:
    await stage.mail(
        mail("m0", at=1000.0),
        mail("m1", "Rent", at=2000.0),
        mail("m2", "Lunch", at=3000.0, name="Bob", address="bob@example.org"),
        mail("m3", "Old", at=4000.0),
    )
    await stage.mark(state("m0"), state("m2", "flagged", "seen"), state("m3", folder="Trash", use="trash"))
    assert await ids(stage, query) == wanted


async def test_what_is_archived_is_not_listed_but_found(stage: Stage) -> None:
    await stage.mail(
        mail("m1", "Rent", at=1000.0, thread="<rent@x>"),
        mail("m2", "Re: Rent", at=2000.0, thread="<rent@x>"),
        mail("m3", "Lunch", at=3000.0),
    )
    sent, put_away = state("m2", "seen", use="sent"), state("m1", "seen", folder="Archive", use="archive")
    await stage.mark(put_away, sent, state("m3", "seen"))
    assert await ids(stage) == ["m3"]
    assert await ids(stage, "rent") == await ids(stage, "in:archive OR in:sent") == ["m2"]
    assert await ids(stage, "in:anywhere") == ["m3", "m2"]
    await stage.mail(mail("m4", "Re: Rent", at=4000.0, thread="<rent@x>"))  # an answer brings its thread back
    page = await stage.engine.mails()
    assert [(row.newest, row.count) for row in page.rows] == [("m4", 3), ("m3", 1)]


@pytest.mark.parametrize(
    ("query", "at"),
    [("flavour:sweet", 1), ("rent is:nice", 9), ("from:", 1), ("rent )", 6), ("before:sometimeish", 8)],
)
async def test_a_filter_that_is_not_understood_is_refused_with_the_place(stage: Stage, query: str, at: int) -> None:
    with pytest.raises(EngineError, match=rf"\(at character {at}\)"):
        await stage.engine.mails(query)


async def test_what_comes_and_what_becomes_of_it_is_heard(stage: Stage) -> None:
    await stage.mail(mail("m1", at=1000.0))
    changes = stage.engine.mail_changes()
    async with asyncio.timeout(10):
        await anext(changes)
        for change, left in (
            (stage.mail(mail("m2", at=2000.0)), ["m2", "m1"]),
            (stage.mark(state("m1")), ["m1", "m2"]),
            (stage.mark(state("m1", folder="Trash", use="trash")), ["m2"]),
            (stage.mark(state("m1", "seen")), ["m2", "m1"]),
        ):
            await change
            while await ids(stage) != left:
                await anext(changes)


async def test_what_the_user_writes_is_a_call_that_asks(stage: Stage) -> None:
    await stage.mail(mail("m1"))
    call = await stage.engine.write_mail("reply", "m1", {"body": Written("Yes, at noon.")})
    assert call
    with pytest.raises(EngineError):
        await stage.engine.write_mail("reply", "m1", {"body": Written(" ")})
    if context := await found(stage.engine, Namespace.TOOL_CALL, call):  # the fake only notes it

        async def asks() -> bool:
            context = await found(stage.engine, Namespace.TOOL_CALL, call)
            return context is not None and ToolCall.of(context).state is CallState.WAITING_APPROVAL

        assert ToolCall.of(context).root == "user"
        await stage.until(asks)


@pytest.mark.parametrize("number", [-1, 1])
async def test_a_file_that_a_mail_does_not_have_is_refused(stage: Stage, number: int) -> None:
    await stage.mail(mail("m1", attachments=[{"name": "a.pdf"}]))
    with pytest.raises(EngineError, match="no such attachment"):
        await stage.engine.attachment("m1", number)
    with pytest.raises(EngineError, match="no such attachment"):
        await stage.engine.attachment_text("m1", number)


async def test_a_mail_has_a_head_before_it_is_written(stage: Stage) -> None:
    await stage.mail(mail("m1", "Rent"), mail("m2", "re: Rent"))
    heads = [
        await stage.engine.mail_head(*each) for each in [("new",), ("reply", "m1"), ("reply", "m2"), ("forward", "m2")]
    ]
    assert [head.subject for head in heads] == ["", "Re: Rent", "re: Rent", "Fwd: re: Rent"]
    assert {(head.sender, head.doubt) for head in heads} == {("Sam <sam@example.com>", "")}


async def test_what_is_not_there_is_not_filed(stage: Stage) -> None:
    with pytest.raises(EngineError):
        await stage.engine.file(["mail:nowhere"], "archive")


async def test_a_mail_saved_as_a_draft_ends_its_card(stage: Stage) -> None:
    card = await stage.card()
    assert "draft" in await stage.engine.save_draft(card.id)
    context = await found(stage.engine, Namespace.APPROVAL, card.id)
    assert context is not None
    assert (context.data["state"], context.data["decision_note"]) == ("rejected", "saved as a draft")
    with pytest.raises(EngineError):
        await stage.engine.save_draft(card.id)
