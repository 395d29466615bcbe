"""The user's key on named mails, on a whole engine and a real Maildir: done once, told, undone; and a model's wish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.mail.at_source.filing import Filed, Filing
from pepper_tui.domains.mail.at_source.state import Copy, note_copies, states_of
from pepper_tui.domains.mail.content.mime import parse_mail
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.domains.mail.tools.filing_plan import MOST
from pepper_tui.model import (
    CallState,
    ChoiceError,
    EngineError,
    Namespace,
    Notification,
    NotificationState,
    Priority,
    Signal,
)
from pepper_tui.tools.errors import NotDoneError
from tests.domains.mail.mails import mail, make_maildir
from tests.engine.box import Box
from tests.engine.desk import CONFIG, Desk, calls

FOLDERS = ("Archive", "Trash", "Junk", "Work")


class Broken:
    """The filer of an account where something goes wrong, or takes long: until ``answers`` is set."""

    account = "mail"
    acts = ("archive", "move", "read", "unread", "trash")

    def __init__(self, *errors: Exception | None, done: bool | None = None) -> None:
        self.errors, self.done = list(errors), done
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.left: list[str] = []
        self.undo = Filing("move", "INBOX")

    async def folders(self) -> Sequence[str]:
        return ["INBOX", "Archive"]

    async def file(self, filing: Filing, places: Sequence[str], /) -> Mapping[str, Filed]:
        self.asked.append((filing.act, filing.folder, tuple(places)))
        await self.answers.wait()
        self.left.append(filing.leaving)
        if self.errors and (error := self.errors.pop(0)) is not None:
            raise error
        return {place: Filed(f"{place}/now", self.undo) for place in places}

    async def is_done(self, filing: Filing, places: Collection[str], /) -> bool | None:
        return self.done


@pytest.fixture
async def box(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Box]:
    root = make_maildir(tmp_path / "mail")
    for name in FOLDERS:
        make_maildir(root / f".{name}")
    async with Desk(tmp_path, clock, CONFIG) as desk:
        yield Box(desk)


def put_in(box: Box, filer: Broken) -> Broken:
    box.desk.engine.parts.tools.mail.filers["mail"] = filer  # type: ignore[index]
    return filer


@pytest.mark.parametrize(
    ("act", "folder", "there", "card"),
    [
        ("archive", "", "Archive", "done"),
        ("trash", "", "Trash", "done"),
        ("junk", "", "Junk", "done"),
        ("move", "work", "Work", "done"),
        ("read", "", "INBOX S", "done"),
        ("flag", "", "INBOX F", "new"),
    ],
)
async def test_a_key_files_the_mail_once_and_undo_takes_all_of_it_back(
    box: Box, act: str, folder: str, there: str, card: str
) -> None:
    await box.take(1)
    engine = box.desk.engine
    words = await engine.file(["notification:n1"], act, folder)
    assert "Subject 1" in words
    assert (await box.notices())["n1"] == card
    await box.until_filed(m1=there)
    await box.until_ended(CallState.SUCCEEDED)
    [call] = await box.calls()
    [approval] = await box.cards("approved")
    assert approval.digest == approval.resolved.digest
    assert approval.resolved.payload["mails"][0]["id"] == call.arguments["mails"][0] == "mail_1"
    state = (await states_of(engine.store, ["mail_1"]))["mail_1"]
    assert [f"{copy.folder} {'S' * ('seen' in copy.marks)}{'F' * ('flagged' in copy.marks)}".strip() for copy in
            state.copies] == [there]  # fmt: skip
    await engine.undo()
    assert (await box.notices())["n1"] == "new"
    await box.until_filed(m1="INBOX")
    await box.until_ended(CallState.SUCCEEDED, CallState.SUCCEEDED)
    await engine.redo()
    assert (await box.notices())["n1"] == card
    await box.until_filed(m1=there)
    await box.until_ended(*[CallState.SUCCEEDED] * 3)
    await engine.undo()
    await box.until_filed(m1="INBOX")


async def test_a_label_that_a_move_has_put_on_goes_with_its_undo(box: Box) -> None:
    await box.take(1)
    filer = put_in(box, Broken())
    filer.undo = Filing("move", "INBOX", leaving="Archive")
    await box.desk.engine.file(["mail:mail_1"], "move", "Archive")
    await box.until_ended(CallState.SUCCEEDED)
    await box.desk.engine.undo()
    await box.until_ended(CallState.SUCCEEDED, CallState.SUCCEEDED)
    assert [(act, folder) for act, folder, _ in filer.asked] == [("move", "Archive"), ("move", "INBOX")]
    assert filer.left == ["", "Archive"]
    undone = next(card for card in await box.cards("approved") if card.resolved.payload["folder"] == "INBOX")
    assert ("Label", "Archive is taken off") in [(line.label, line.value) for line in undone.resolved.lines]


async def test_many_mails_are_one_act_and_one_undo_each_back_to_its_folder(box: Box) -> None:
    for number in (1, 2):
        await box.take(number)
    await box.take(3, ".Work")
    await box.desk.engine.file([f"mail:mail_{n}" for n in (1, 2, 3)], "archive")
    await box.until_filed(m1="Archive", m2="Archive", m3="Archive")
    await box.until_ended(CallState.SUCCEEDED)
    await box.desk.engine.undo()
    await box.until_filed(m1="INBOX", m2="INBOX", m3="Work")
    with pytest.raises(EngineError, match="nothing to take back"):
        await box.desk.engine.undo()


@pytest.mark.parametrize(
    ("act", "folder", "card", "there"),
    [
        ("archive", "", "done", "Archive"),
        ("trash", "", "done", "Trash"),
        ("junk", "", "done", "Junk"),
        ("move", "work", "done", "Work"),
        ("read", "", "done", "INBOX S"),
        ("flag", "", "new", "INBOX F"),
    ],
)
async def test_filing_a_mail_from_the_list_ends_its_card_in_the_same_act(
    box: Box, act: str, folder: str, card: str, there: str
) -> None:
    await box.take(1)
    await box.take(2)
    engine = box.desk.engine
    await engine.file(["mail:mail_1"], act, folder)
    assert await box.notices() == {"n1": card, "n2": "new"}
    await box.until_filed(m1=there, m2="INBOX")
    await box.until_ended(CallState.SUCCEEDED)
    await box.until_followed()
    await engine.undo()
    assert await box.notices() == {"n1": "new", "n2": "new"}
    await box.until_filed(m1="INBOX", m2="INBOX")
    with pytest.raises(EngineError, match="nothing to take back"):
        await engine.undo()


async def test_marking_a_mail_of_the_list_as_read_leaves_a_card_that_needs_more(box: Box) -> None:
    await box.take(1)
    store = box.desk.engine.store
    context = await store.get("n1", namespace=Namespace.NOTIFICATION)
    assert context is not None
    loud = Notification.of(context)
    loud.priority = Priority.URGENT
    await store.put(loud, namespace=Namespace.NOTIFICATION, tags=context.tags)
    await box.desk.engine.file(["mail:mail_1"], "read")
    await box.until_filed(m1="INBOX S")
    await box.until_ended(CallState.SUCCEEDED)
    await box.until_followed()
    assert (await box.notices())["n1"] != "done"


@pytest.mark.parametrize(("act", "state"), [("trash", "withdrawn"), ("junk", "withdrawn"), ("archive", "pending")])
async def test_a_mail_thrown_away_from_the_list_needs_no_answer(box: Box, act: str, state: str) -> None:
    await box.take(1)
    await box.desk.says("answer", calls(("draft_reply", {"message_id": "mail_1", "body": "Yes."})))
    card = await box.desk.card()
    await box.desk.engine.file(["mail:mail_1"], act)
    await box.until_ended(CallState.SUCCEEDED)
    await box.until_followed()
    assert [each.id for each in await box.cards(state)] == [card.id]


async def test_acting_on_a_card_ends_its_draft_too(box: Box) -> None:
    await box.take(1)
    await box.desk.says("answer", calls(("draft_reply", {"message_id": "mail_1", "body": "Yes."})))
    card = await box.desk.card()
    words = await box.desk.engine.file([f"approval:{card.id}", "notification:n1"], "archive")
    assert "its draft is not sent" in words
    await box.until_filed(m1="Archive")
    assert [each.id for each in await box.cards("rejected")] == [card.id]
    await box.until_ended(CallState.SUCCEEDED)
    await box.desk.engine.undo()
    assert [each.id for each in await box.cards()] == [card.id]
    await box.until_filed(m1="INBOX")


@pytest.mark.parametrize(
    ("refs", "act", "words"),
    [
        ([], "archive", "no mail behind this"),
        (["notification:none"], "archive", "no mail behind this"),
        (["call:c"], "archive", "no mail behind this"),
        (["mail:none"], "archive", "no such mail"),
        (["mail:mail_1"], "burn", "no act 'burn'"),
        (["mail:mail_1"], "label", "can't do this: label"),
        (["mail:mail_2"], "archive", "only reads mail"),
        (["mail:mail_3"], "trash", "there already"),
        (["mail:mail_4"], "read", "removed"),
    ],
)
async def test_what_can_not_be_is_refused_in_words_and_leaves_nothing(
    box: Box, refs: list[str], act: str, words: str
) -> None:
    await box.take(1)
    box.account = "mbox"
    await box.take(2)
    box.account = "mail"
    await box.take(3)
    await box.take(4)
    place = f"{box.root}/3.host"
    store = box.desk.engine.store
    await note_copies(store, {"mail_3": [Copy(place, "mail", "Trash", "trash")]}, [f"{box.root}/4.host"])
    with pytest.raises(EngineError, match=words):
        await box.desk.engine.file(refs, act)
    assert await box.calls() == []
    notices = await box.notices()
    assert [notices["n1"], notices["n2"]] == ["new", "new"]  # those of 3 and 4 may end, as these mails were moved


async def test_move_asks_which_folder(box: Box) -> None:
    await box.take(1)
    for folder in ("", "Nowhere"):
        with pytest.raises(ChoiceError) as asked:
            await box.desk.engine.file(["mail:mail_1"], "move", folder)
        assert [said for said, _ in asked.value.choices] == ["Archive", "INBOX", "Junk", "Trash", "Work"]
    assert await box.calls() == []


async def test_more_than_one_call_holds_is_still_one_act(box: Box) -> None:
    filer = put_in(box, Broken())
    store = box.desk.engine.store
    ids = [f"mail_{n}" for n in range(MOST + 1)]
    async with store.unit():
        for ident in ids:
            raw = {**parse_mail(mail()).data(), "id": ident, "thread": ident, "backlog": True}
            await store.store(raw, namespace="raw.mail", context_id=ident)
            await note_copies(store, {ident: [Copy(f"p/{ident}", "mail", "INBOX", "inbox")]})
    await box.desk.engine.file([f"mail:{ident}" for ident in ids], "archive")
    await box.until_ended(CallState.SUCCEEDED, CallState.SUCCEEDED)
    assert sorted(len(places) for _, _, places in filer.asked) == [1, MOST]
    await box.desk.engine.undo()
    await box.until_ended(*[CallState.SUCCEEDED] * 4)
    assert sum(len(places) for act, _, places in filer.asked if act == "move") == MOST + 1


async def listed(box: Box) -> list[str]:
    return [row.id for row in (await box.desk.engine.mails()).rows]


@pytest.mark.parametrize("act", ["archive", "read"])
async def test_what_a_key_files_leaves_the_list_at_once_and_one_undo_brings_it_back(box: Box, act: str) -> None:
    filer = put_in(box, Broken())
    await box.take(1)
    await box.take(2)
    engine, before = box.desk.engine, await listed(box)

    async def unread() -> int:
        return (await engine.mails()).unread

    assert (sorted(before), await unread()) == (["t1", "t2"], 2)
    filer.answers.clear()  # the account takes long
    await engine.file(["mail:mail_1"], act)
    assert (await box.notices())["n1"] == "done"

    async def gone() -> bool:
        return (await listed(box), await unread()) == (["t2"] if act == "archive" else ["t2", "t1"], 1)

    await box.desk.until(gone)
    await box.desk.until(lambda: len(filer.asked) == 1)
    undoing = asyncio.create_task(engine.undo())
    await asyncio.sleep(0)
    filer.answers.set()
    await undoing
    assert (await box.notices())["n1"] == "new"

    async def back() -> bool:
        return sorted(await listed(box)) == ["t1", "t2"]

    await box.desk.until(back)
    await box.until_ended(CallState.SUCCEEDED, CallState.SUCCEEDED)
    with pytest.raises(EngineError, match="nothing to take back"):
        await engine.undo()


async def test_what_was_not_done_is_in_the_list_again(box: Box) -> None:
    filer = put_in(box, Broken(NotDoneError("no connection")))
    await box.take(1)
    assert await listed(box) == ["t1"]
    filer.answers.clear()
    await box.desk.engine.file(["mail:mail_1"], "trash")

    async def shows(*threads: str) -> bool:
        return await listed(box) == [*threads]

    await box.desk.until(shows)
    filer.answers.set()
    await box.desk.card()
    await box.desk.until(lambda: shows("t1"))


async def test_what_was_not_done_is_a_card_that_tries_again_and_undo_withdraws_it(box: Box) -> None:
    filer = put_in(box, Broken(NotDoneError("no connection"), NotDoneError("no connection")))
    await box.take(1)
    await box.desk.engine.file(["notification:n1"], "archive")
    card = await box.desk.card()
    assert card.problem == "no connection"
    await box.desk.engine.undo()
    assert (await box.notices())["n1"] == "new"
    assert await box.cards() == []
    await box.desk.engine.file(["notification:n1"], "archive")
    card = await box.desk.card()
    await box.desk.engine.approve(card.id)
    await box.until_ended(*[CallState.FAILED] * 2, CallState.CANCELLED, CallState.SUCCEEDED)
    assert len(filer.asked) == 3


async def test_an_unknown_outcome_is_shown_not_repeated_and_can_be_looked_up(box: Box) -> None:
    filer = put_in(box, Broken(OutcomeUnknownError("the connection was cut"), done=True))
    await box.take(1)
    await box.desk.engine.file(["notification:n1"], "archive")
    await box.until_ended(CallState.UNKNOWN)
    with pytest.raises(EngineError, match="answer that first"):
        await box.desk.engine.file(["mail:mail_1"], "archive")
    assert "can't be taken back" in await box.desk.engine.undo()
    [call] = await box.calls()
    assert "did happen" in await box.desk.engine.answer_unknown(call.id, "check")
    assert len(filer.asked) == 1


async def test_what_is_gone_meanwhile_is_told_and_nothing_else_is_touched(box: Box) -> None:
    await box.take(1)
    await box.take(2)
    next(box.root.rglob("1.host*")).unlink()
    await box.desk.engine.file(["mail:mail_1", "mail:mail_2"], "archive")
    await box.until_filed(m2="Archive")
    await box.until_ended(CallState.SUCCEEDED)
    told = [row for row in await box.desk.rows(Namespace.NOTIFICATION) if row["kind"] == "trouble"]
    assert ["no longer there" in row["body"] and "Subject 1" in row["body"] for row in told] == [True]
    await box.desk.engine.file(["mail:mail_1"], "read")
    await box.until_ended(CallState.SUCCEEDED, CallState.FAILED)


async def test_a_stop_before_the_attempt_is_carried_out_after_the_start_once(box: Box) -> None:
    await box.take(1)
    await box.desk.engine.file(["mail:mail_1"], "archive")
    await box.desk.engine.close()
    await box.desk.open()
    await box.until_filed(m1="Archive")
    await box.until_ended(CallState.SUCCEEDED)
    await box.desk.engine.undo()
    await box.until_filed(m1="INBOX")


async def test_the_same_key_twice_at_once_files_once(box: Box) -> None:
    filer = put_in(box, Broken())
    await box.take(1)
    await box.desk.engine.file(["mail:mail_1"], "archive")
    with pytest.raises(EngineError, match="being done"):
        await box.desk.engine.file(["mail:mail_1"], "archive")
    await box.until_ended(CallState.SUCCEEDED)
    assert len(filer.asked) == 1


async def test_a_models_wish_is_a_card_that_names_the_mails_and_a_rejected_one_is_not_asked_again(box: Box) -> None:
    await box.take(1)
    wish = ("file_mail", {"mails": ["mail_1"], "act": "trash"})
    await box.desk.says("clean up", calls(wish))
    card = await box.desk.card()
    told = {line.label: line.value for line in card.resolved.lines}
    assert told["Mail"] == "Subject 1 — Ann <ann@example.com>"
    assert (told["Account"], told["Folder"]) == ("mail", "the trash of the account")
    assert box.files() == {"1": "INBOX"}
    await box.desk.engine.reject(card.id)
    await box.desk.engine.store.put(  # no word of the user's asks for it again
        Signal("s9", "x", 0.0, Priority.HIGH, "mail", "r", "m9", {}), namespace="signals.mail"
    )
    box.desk.model.turns.append(calls(wish))

    async def refused() -> list[str]:
        return [each.content for each in await box.desk.results("file_mail") if "already rejected" in each.content]

    await box.desk.until(refused)
    assert box.files() == {"1": "INBOX"}
    assert await box.cards() == []


async def test_an_approved_wish_is_carried_out_after_its_window_and_ends_the_cards_of_its_mails(box: Box) -> None:
    await box.take(1)
    await box.desk.says(
        "clean up", calls(("file_mail", {"mails": ["<m1@example.com>"], "act": "move", "folder": "work"}))
    )
    card = await box.desk.card()
    assert card.resolved.payload["folder"] == "Work"
    await box.desk.engine.approve(card.id)
    assert (box.files(), (await box.notices())["n1"]) == ({"1": "INBOX"}, NotificationState.NEW)
    await box.until_filed(m1="Work")
    await box.until_ended(CallState.SUCCEEDED)
    await box.until_followed()
    assert (await box.notices())["n1"] == NotificationState.DONE
    await box.desk.engine.undo()
    assert (await box.notices())["n1"] == NotificationState.NEW
