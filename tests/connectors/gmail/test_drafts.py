"""Drafts that stay at Google: made once, whatever is lost on the way."""

from __future__ import annotations

import pytest

from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.tools.errors import NotDoneError
from tests.connectors.gmail.account import ALEX
from tests.connectors.gmail.conftest import Make
from tests.google import Google

OURS = "<draft1@example.com>"
MAIL = f"From: {ALEX}\nTo: bob@x.org\nSubject: Rent\nMessage-ID: {OURS}\n\nHow much?\n"
CREATE = "gmail.users.drafts.create"


async def test_a_draft_is_made_once_and_makes_no_signal(google: Google, accounts: Make) -> None:
    work = accounts()
    box = work.drafts["work"]
    assert await box.holds(OURS) is False
    assert await box.save(OURS, MAIL) == await box.save(OURS, MAIL) == f"Drafts of {ALEX}"
    assert len(google.mailbox.drafts) == 1
    assert await box.holds(OURS) is True
    await work.start()
    await work.until_health("ok")
    assert await work.news() == {}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_is_no_second_draft(google: Google, accounts: Make, when: str) -> None:
    box = accounts().drafts["work"]
    google.fault(CREATE, when=when, drop=True)
    with pytest.raises(OutcomeUnknownError):
        await box.save(OURS, MAIL)
    assert await box.holds(OURS) is (when == "after")
    await box.save(OURS, MAIL)
    assert len(google.mailbox.drafts) == 1


async def test_what_google_refuses_is_not_done(google: Google, accounts: Make) -> None:
    google.fault(CREATE, status=400)
    with pytest.raises(NotDoneError):
        await accounts().drafts["work"].save(OURS, MAIL)
    assert not google.mailbox.drafts
