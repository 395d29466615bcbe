"""Sending by a draft: once, to exactly those approved, and with its fate known afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.connectors.gmail.drafts import DRAFTS, PATIENCE
from pepper_tui.domains.mail.message import build_message
from pepper_tui.domains.mail.outbox import OutcomeUnknownError, TracedOutbox
from pepper_tui.domains.mail.writing.sent_mail import original_tag
from pepper_tui.model import Namespace
from pepper_tui.tools.errors import NotDoneError
from tests.connectors.gmail.account import SIGNALS, Accounts, allow, kept
from tests.connectors.gmail.conftest import Make
from tests.domains.mail.mails import mail
from tests.google import Google
from tests.google.client import COMPOSE, READ
from tests.google.gmail.mailbox import Mailbox

OURS = "<pepper1@example.com>"


def message(work: Accounts, to: str = "bob@x.org", message_id: str = OURS) -> str:
    return build_message(
        work.outboxes["work"], to=[to], cc=[], subject="Grüße", body="text", message_id=message_id, at=work.clock.now()
    )


async def running(work: Accounts) -> Accounts:
    await work.start()
    await work.until_health("ok")
    return work


async def fate(work: Accounts, message_id: str = OURS) -> bool | None:
    outbox = work.outboxes["work"]
    assert isinstance(outbox, TracedOutbox)
    return await outbox.fate(message_id)


async def test_it_is_sent_once_as_it_was_approved(google: Google, accounts: Make) -> None:
    work = await running(accounts())
    handed: list[bool] = []
    await work.outboxes["work"].send(["bob@x.org"], message(work), lambda: handed.append(True))
    [sent] = google.mailbox.sent
    assert (sent.recipients, handed) == (("bob@x.org",), [True])
    assert b"Subject: =?utf-8?" in sent.raw
    assert not google.mailbox.drafts
    assert await fate(work) is True
    commands = [asked.command.removeprefix("gmail.users.") for asked in google.log]
    assert [each for each in commands if each.startswith("drafts")] == ["drafts.create", "drafts.send"]


async def test_what_pepper_sent_makes_no_signal_and_an_answer_to_it_names_it(google: Google, accounts: Make) -> None:
    """Google replaces the Message-ID: what comes back is known all the same."""
    work = await running(accounts())
    noted = {"id": OURS, "call": "c1", "to": ["bob@x.org"], "at": work.clock.now()}
    await work.store.store(noted, namespace=Namespace.SENT, context_id=OURS)
    await work.outboxes["work"].send(["bob@x.org"], message(work), lambda: None)

    async def there() -> bool:
        return len(await work.mails()) == 1

    await work.passing(there)
    [own] = await work.mails()
    given = own.data["message_id"]
    assert given.endswith("@mail.gmail.com>")
    alias = await work.store.get(given, namespace=Namespace.SENT)
    assert alias is not None
    assert alias.data == {**noted, "id": given, "original": OURS}
    assert alias.tags == {original_tag(OURS)}
    google.mailbox.deliver(mail("Bob <bob@x.org>", "alex@example.com", "Re: Grüße", number=9, In_Reply_To=given))
    await work.until_mails(1)
    signals = await work.store.query(SIGNALS)
    assert [each.data["metadata"]["message_id"] for each in signals] == ["<m9@example.com>"]
    answer = next(each for each in await work.mails() if each.data["message_id"] == "<m9@example.com>")
    assert answer.data["references"] == [given, OURS]


Faults = list[tuple[str, dict[str, Any]]]
LOST = {"drop": True, "when": "after"}
OUTCOMES: dict[str, tuple[Faults, type[Exception] | None, int, bool | None]] = {
    "the answer to the draft is lost": ([("drafts.create", LOST)], None, 1, True),
    "the answer to the send is lost": ([("drafts.send", LOST)], None, 1, True),
    "an error after the send": ([("drafts.send", {"status": 500, "when": "after"})], None, 1, True),
    "the send never came": ([("drafts.send", {"drop": True})], NotDoneError, 0, False),
    "an error before the send": ([("drafts.send", {"status": 503})], NotDoneError, 0, False),
    "too fast": ([("drafts.send", {"status": 429})], NotDoneError, 0, False),
    "no draft": ([("drafts.create", {"status": 500, "times": 9})], NotDoneError, 0, False),
    "lost, and nobody to ask": (
        [("drafts.send", LOST), ("drafts.get", {"status": 500, "times": 4})], OutcomeUnknownError, 1, True,
    ),
    "not sent, and the removal's answer is lost": (
        [("drafts.send", {"drop": True}), ("drafts.delete", LOST)], OutcomeUnknownError, 0, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", OUTCOMES)
async def test_whatever_is_lost_it_goes_at_most_once_and_its_fate_is_known(
    google: Google, accounts: Make, what: str
) -> None:
    faults, raises, sent, went = OUTCOMES[what]
    work = await running(accounts())
    for command, fault in faults:
        google.fault(f"gmail.users.{command}", **fault)
    handed: list[bool] = []
    sending = asyncio.create_task(work.outboxes["work"].send(["bob@x.org"], message(work), lambda: handed.append(True)))
    await work.passing(sending.done)
    error = sending.exception()
    assert (type(error) if error else None) is raises
    assert len(google.mailbox.sent) == sent
    assert bool(handed) == (raises is None)
    assert await fate(work) is went
    assert len(google.mailbox.sent) == sent
    if raises is not OutcomeUnknownError:
        assert not google.mailbox.drafts


LEFT: dict[str, tuple[Faults, bool | None]] = {
    "made, and nobody to ask": ([("drafts.create", LOST), ("drafts.list", {"status": 503, "times": 9})], False),
    "not taken, and a storm": ([("drafts.send", {"status": 429}), ("drafts.*", {"status": 429, "times": 12})], False),
    "lost, and a storm": ([("drafts.send", {"drop": True}), ("drafts.*", {"status": 403, "times": 12})], False),
    "sent, and nobody to ask": ([("drafts.send", LOST), ("drafts.get", {"status": 500, "times": 9})], True),
    "the sign-in ends": ([("drafts.send", {"drop": True}), ("drafts.get", {"status": 401, "times": 2})], False),
}  # fmt: skip


@pytest.mark.parametrize("what", LEFT)
async def test_no_draft_is_left_whatever_fails(google: Google, accounts: Make, what: str) -> None:
    """Nobody asks for its fate: the user has answered, or it is known that it did not go."""
    faults, went = LEFT[what]
    work = await running(accounts())
    for command, fault in faults:
        google.fault(f"gmail.users.{command}", **fault)
    sending = asyncio.create_task(work.outboxes["work"].send(["bob@x.org"], message(work), lambda: None))
    await work.passing(sending.done)
    assert sending.exception() is not None

    async def settled() -> bool:
        row = await work.store.get(OURS, namespace=DRAFTS)
        return row is not None and "open" not in row.tags

    await work.passing(settled)
    assert not google.mailbox.drafts
    assert (len(google.mailbox.sent), await fate(work)) == (int(went is True), went)


async def test_a_sign_in_revoked_in_the_send_is_told_and_the_next_one_removes_the_draft(
    google: Google, accounts: Make, tmp_path: Path
) -> None:
    work = await running(accounts())
    google.fault("gmail.users.drafts.send", meanwhile=google.service.sign_in.end_grants)
    sending = asyncio.create_task(work.outboxes["work"].send(["bob@x.org"], message(work), lambda: None))
    await work.passing(sending.done)
    error = sending.exception()
    assert isinstance(error, NotDoneError)
    assert "pepper accounts signin work" in str(error)
    assert (len(google.mailbox.drafts), len(google.mailbox.sent)) == (1, 0)
    await work.until_health("trouble")
    allow(google, work.settings["work"], tmp_path)
    await work.passing(lambda: not google.mailbox.drafts)
    assert not google.mailbox.sent


async def test_another_try_leaves_one_mail_and_no_draft(google: Google, accounts: Make) -> None:
    """The same card, approved again while the draft of the first try could not be removed."""
    work = accounts()
    google.fault("gmail.users.drafts.send", status=429)
    google.fault("gmail.users.drafts.delete", status=503)
    for error in (NotDoneError, None):
        sending = asyncio.create_task(work.outboxes["work"].send(["bob@x.org"], message(work), lambda: None))
        await work.passing(sending.done)
        assert (type(sending.exception()) if error else sending.exception()) is error
    assert await work.outboxes["work"].send(["bob@x.org"], message(work), lambda: None) == "Google had sent it already"
    assert (len(google.mailbox.sent), google.mailbox.drafts) == (1, {})


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_draft_that_google_makes_late_does_not_stay_beside_that_of_another_try(
    google: Google, accounts: Make, lost: int
) -> None:
    work = await running(accounts())
    google.fault("gmail.users.drafts.create", drop=True, times=lost)
    for tried in range(2):
        sending = asyncio.create_task(work.outboxes["work"].send(["bob@x.org"], message(work), lambda: None))
        await work.passing(sending.done)
        assert bool(sending.exception()) is (tried < lost)
    for _ in range(lost):
        google.mailbox.save_draft(message(work).encode(), None)
        await work.passing(lambda: not google.mailbox.drafts)

    async def settled() -> bool:
        row = await work.store.get(OURS, namespace=DRAFTS)
        return row is not None and "open" not in row.tags

    work.clock.jump(PATIENCE)
    await work.passing(settled)
    assert (len(google.mailbox.sent), google.mailbox.drafts) == (2 - lost, {})


AFTER: dict[str, tuple[Callable[[Mailbox, str], object], bool | None]] = {
    "it went": (lambda box, draft: box.send_draft(draft), True),
    "it did not": (lambda box, draft: None, False),
    "the user removed it": (lambda box, draft: box.remove(box.draft(draft)), None),
}


@pytest.mark.parametrize("what", AFTER)
async def test_after_a_kill_in_the_send_the_draft_tells(google: Google, accounts: Make, what: str) -> None:
    then, went = AFTER[what]
    work = accounts()
    google.fault("gmail.users.drafts.send", status=500)
    google.fault("gmail.users.drafts.get", status=500, times=4)
    sending = asyncio.create_task(work.outboxes["work"].send(["bob@x.org"], message(work), lambda: None))
    await work.passing(sending.done)
    assert isinstance(sending.exception(), OutcomeUnknownError)
    [draft] = google.mailbox.drafts
    then(google.mailbox, draft)
    assert [await fate(work), await fate(work)] == [went, went]
    assert not google.mailbox.drafts  # one that did not go is taken away: it can't go any more
    assert await fate(work, "<another@example.com>") is False  # nothing is sent before its draft is known


@pytest.mark.parametrize(("scopes", "asks"), [((READ,), ["send"]), ((READ, COMPOSE), [])])
async def test_what_was_not_allowed_is_asked_for_at_the_next_sign_in(
    google: Google, accounts: Make, scopes: tuple[str, ...], asks: list[str]
) -> None:
    work = await running(accounts(scopes=scopes))
    if asks:
        with pytest.raises(NotDoneError, match=r"may not write drafts and send mail at .*accounts signin work"):
            await work.outboxes["work"].send(["bob@x.org"], message(work), lambda: None)
    else:
        await work.outboxes["work"].send(["bob@x.org"], message(work), lambda: None)
    grant = kept(work.settings["work"], work.home)
    assert grant is not None
    assert grant.wanted == asks
    assert len(google.mailbox.sent) == (0 if asks else 1)


async def test_only_those_approved_get_it(google: Google, accounts: Make) -> None:
    work = await running(accounts())
    for recipients in ([], ["eve@x.org"], ["bob@x.org", "eve@x.org"]):
        with pytest.raises(NotDoneError, match="do not name those"):
            await work.outboxes["work"].send(recipients, message(work), lambda: None)
    assert not google.asked("gmail.users.drafts.create")


@pytest.mark.parametrize("sender", ["team@example.com", "else@example.com"])
async def test_a_sender_that_google_would_replace_is_refused(google: Google, accounts: Make, sender: str) -> None:
    google.mailbox.aliases["team@example.com"] = "Team"
    work = await running(accounts())
    text = message(work).replace("From: alex@example.com", f"From: {sender}")
    if sender == "team@example.com":
        await work.outboxes["work"].send(["bob@x.org"], text, lambda: None)
        assert b"From: team@example.com" in google.mailbox.sent[0].raw
        return
    with pytest.raises(NotDoneError, match=r"Google would not send as else@example.com"):
        await work.outboxes["work"].send(["bob@x.org"], text, lambda: None)
    assert not google.mailbox.sent
    assert not google.mailbox.drafts
