"""Filing by labels: each act, its inverse, and what is said of mails that are gone."""

from __future__ import annotations

import asyncio

import pytest

from pepper_tui.connectors.gmail.filer import ACTS
from pepper_tui.connectors.gmail.labels import marks_of, use_of
from pepper_tui.domains.mail.at_source.filing import Filing, FilingAct
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.tools.errors import NotDoneError
from tests.connectors.gmail.account import Accounts, kept
from tests.connectors.gmail.conftest import Make
from tests.domains.mail.mails import mail
from tests.google import Google
from tests.google.client import READ

ARRIVED = {"INBOX", "UNREAD", "CATEGORY_PERSONAL"}
DONE: dict[FilingAct, tuple[str, set[str]]] = {
    "read": ("", ARRIVED - {"UNREAD"}),
    "unread": ("", ARRIVED),
    "flag": ("", ARRIVED | {"STARRED"}),
    "unflag": ("", ARRIVED),
    "archive": ("", ARRIVED - {"INBOX"}),
    "trash": ("", ARRIVED - {"INBOX"} | {"TRASH"}),
    "junk": ("", ARRIVED - {"INBOX"} | {"SPAM"}),
    "move": ("spam", ARRIVED - {"INBOX"} | {"SPAM"}),
    "label": ("work", ARRIVED | {"Label_1"}),
    "unlabel": ("Work", ARRIVED),
}


def at(ident: str) -> str:
    return f"gmail:work/{ident}"


def test_every_act_is_tried() -> None:
    assert set(DONE) == set(ACTS)


@pytest.mark.parametrize("act", ACTS)
async def test_an_act_is_done_is_seen_to_be_done_and_is_undone(google: Google, accounts: Make, act: FilingAct) -> None:
    box, filer = google.mailbox, accounts().filers["work"]
    box.create_label("Work")
    folder, after = DONE[act]
    before = set(ARRIVED)
    ident = box.deliver(mail())
    for label in {"unread": ["UNREAD"]}.get(act, []):
        box.relabel(ident, remove=[label])
        before -= {label}
    for label in {"unflag": ["STARRED"], "unlabel": ["Label_1"]}.get(act, []):
        box.relabel(ident, add=[label])
        before |= {label}
    filing = Filing(act, folder)
    assert await filer.is_done(filing, [at(ident)]) is False
    filed = (await filer.file(filing, [at(ident)]))[at(ident)]
    assert (set(box.mails[ident].labels), filed.place, filed.trouble) == (after, at(ident), "")
    assert await filer.is_done(filing, [at(ident)]) is True
    assert filed.copy is not None
    assert (filed.copy.place, filed.copy.use) == (at(ident), use_of(after))
    assert set(filed.copy.marks) == set(marks_of(after))
    changes = len(google.asked("gmail.users.messages.batchModify"))
    again = (await filer.file(filing, [at(ident)]))[at(ident)]
    assert (again.undo, len(google.asked("gmail.users.messages.batchModify"))) == (None, changes)
    assert filed.undo is not None
    await filer.file(filed.undo, [at(ident)])
    assert set(box.mails[ident].labels) == before


@pytest.mark.parametrize("was", ["INBOX", "SPAM", "TRASH", ""])
async def test_what_was_moved_goes_back_to_where_it_was(google: Google, accounts: Make, was: str) -> None:
    box, filer = google.mailbox, accounts().filers["work"]
    ident = box.deliver(mail(), [was] if was else [])
    for act in ("archive", "trash", "junk"):
        filed = (await filer.file(Filing(act), [at(ident)]))[at(ident)]
        if filed.undo is not None:
            await filer.file(filed.undo, [at(ident)])
        assert box.mails[ident].labels == ([was] if was else [])


@pytest.mark.parametrize(
    ("labels", "to"),
    [(["INBOX"], "Work"), (["INBOX", "Label_1"], "Work"), (["INBOX", "Label_2"], "Work"), ([], "Work"),
     (["Label_2"], "Work"), (["SPAM"], "Work"), (["INBOX"], "spam"), (["Label_2"], "INBOX")],
)  # fmt: skip
async def test_a_move_that_is_undone_and_done_again_leaves_every_label_as_it_was(
    google: Google, accounts: Make, labels: list[str], to: str
) -> None:
    box, filer = google.mailbox, accounts().filers["work"]
    for name in ("Work", "Play"):
        box.create_label(name)
    ident = box.deliver(mail(), labels)
    seen = [sorted(box.mails[ident].labels)]
    filing: Filing | None = Filing("move", to)
    for _ in range(4):
        assert filing is not None
        filing = (await filer.file(filing, [at(ident)]))[at(ident)].undo
        seen.append(sorted(box.mails[ident].labels))
    assert seen[0] == seen[2] == seen[4] != seen[1] == seen[3]


async def test_a_label_that_is_gone_is_no_hindrance_to_an_undo(google: Google, accounts: Make) -> None:
    filer, ident = accounts().filers["work"], google.mailbox.deliver(mail(), [])
    await filer.file(Filing("move", "INBOX", leaving="Work"), [at(ident)])
    assert google.mailbox.mails[ident].labels == ["INBOX"]


async def test_many_are_one_request_and_those_that_are_gone_are_named(google: Google, accounts: Make) -> None:
    box, filer = google.mailbox, accounts().filers["work"]
    there = [box.deliver(mail(number=number)) for number in range(60)]
    box.delete(there[7])
    places = [*map(at, there), "gmail:home/12ab", "imap:work/INBOX/1.1"]
    filed = await filer.file(Filing("archive"), places)
    wrong = {place for place, each in filed.items() if each.trouble}
    assert wrong == {at(there[7]), *places[-2:]}
    assert len(google.asked("gmail.users.messages.batchModify")) == 1
    assert not any("INBOX" in each.labels for each in box.mails.values())
    assert await filer.is_done(Filing("archive"), places) is False


@pytest.mark.parametrize("act", ["label", "unlabel", "move"])
async def test_a_label_that_there_is_not_changes_nothing(google: Google, accounts: Make, act: FilingAct) -> None:
    filer, ident = accounts().filers["work"], google.mailbox.deliver(mail())
    with pytest.raises(NotDoneError, match=r"there is no label 'Nowhere' at alex@example.com"):
        await filer.file(Filing(act, "Nowhere"), [at(ident)])
    assert await filer.is_done(Filing(act, "Nowhere"), [at(ident)]) is None
    with pytest.raises(NotDoneError, match=r"Gmail has no mark for 'answered'|there is no label"):
        await filer.file(Filing("answered"), [at(ident)])


async def test_it_takes_more_than_leave_to_read(google: Google, accounts: Make) -> None:
    work, ident = accounts(scopes=(READ,)), google.mailbox.deliver(mail())
    with pytest.raises(
        NotDoneError, match=r"may not archive, mark, label and bin mail at .* signin work; it asks Google"
    ):
        await work.filers["work"].file(Filing("archive"), [at(ident)])
    grant = kept(work.settings["work"], work.home)
    assert grant is not None
    assert grant.wanted == ["file"]
    assert "INBOX" in google.mailbox.mails[ident].labels


async def filed(work: Accounts, ident: str) -> BaseException | None:
    filing = asyncio.create_task(work.filers["work"].file(Filing("archive"), [at(ident)]))
    await work.passing(filing.done)
    return filing.exception()


@pytest.mark.parametrize(
    ("fault", "raises"),
    [
        ({"drop": True, "when": "after"}, None),
        ({"status": 500, "when": "after"}, None),
        ({"drop": True, "when": "in"}, None),
        ({"drop": True}, OutcomeUnknownError),
        ({"status": 503}, OutcomeUnknownError),
        ({"status": 429}, NotDoneError),
        ({"status": 403}, NotDoneError),
    ],
)
async def test_where_the_answer_is_lost_it_is_looked_at(
    google: Google, accounts: Make, fault: dict[str, object], raises: type[Exception] | None
) -> None:
    work, ident = accounts(), google.mailbox.deliver(mail())
    google.fault("gmail.users.messages.batchModify", **fault)
    error = await filed(work, ident)
    assert (type(error) if error else None) is raises
    assert len(google.asked("gmail.users.messages.batchModify")) == 1  # a write is never tried again by itself


async def test_the_folders_are_named(google: Google, accounts: Make) -> None:
    google.mailbox.create_label("Work")
    assert await accounts().filers["work"].folders() == ["INBOX", "Archive", "Work", "SPAM", "TRASH"]
