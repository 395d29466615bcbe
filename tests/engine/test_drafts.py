"""A card's mail saved as a draft at its account by the user's key: once, and the card can be opened again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.model import Approval, CallState, EngineError, Namespace, Written
from pepper_tui.tools.errors import NotDoneError
from tests.domains.mail.mails import make_maildir
from tests.engine.desk import CONFIG, Desk, calls


class Slow:
    """Drafts of an account whose answer is lost. ``there``: what came to it."""

    account = "mail"

    def __init__(self, *, takes: bool) -> None:
        self.takes, self.tries = takes, 0
        self.there: list[str] = []

    async def save(self, message_id: str, message: str, /) -> str:
        self.tries += 1
        if self.takes:
            self.there.append(message_id)
        raise OutcomeUnknownError("the connection was cut")

    async def holds(self, message_id: str, /) -> bool | None:
        return message_id in self.there


@pytest.fixture
async def desk(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Desk]:
    make_maildir(make_maildir(tmp_path / "mail") / ".Drafts")
    async with Desk(tmp_path, clock, CONFIG) as one:
        yield one


async def written(desk: Desk) -> Approval:
    fields = {"to": Written("bob@x.org"), "subject": Written("Rent"), "body": Written("How much?")}
    await desk.engine.write_mail("new", "", fields)
    return await desk.card()


def drafts(desk: Desk) -> list[Path]:
    return sorted((desk.home / "mail/.Drafts").glob("*/*"))


async def ended(desk: Desk, state: CallState) -> None:
    async def has() -> bool:
        return [call.state for call in await desk.calls("save_draft")] == [state]

    await desk.until(has)


async def test_the_cards_mail_lies_in_the_drafts_as_the_card_showed_it_and_undo_opens_the_card(desk: Desk) -> None:
    card = await written(desk)
    assert "Rent; u opens" in await desk.engine.save_draft(card.id)
    await ended(desk, CallState.SUCCEEDED)
    [path] = drafts(desk)
    assert path.name.endswith(":2,DS")
    draft = message_from_bytes(path.read_bytes())
    assert (draft["To"], draft["Subject"], draft["Message-ID"]) == (
        "bob@x.org", "Rent", card.resolved.payload["message_id"],
    )  # fmt: skip
    [row] = [each for each in await desk.rows(Namespace.APPROVAL) if each["id"] == card.id]
    assert (row["state"], row["decision_note"]) == ("rejected", "saved as a draft")
    with pytest.raises(EngineError, match="no longer there"):
        await desk.engine.save_draft(card.id)
    words = await desk.engine.undo()
    assert "the draft stays at the account" in words
    assert (await desk.card()).resolved.digest == card.resolved.digest
    await desk.engine.save_draft((await desk.card()).id)
    await desk.until(lambda: len(drafts(desk)) == 1)


async def test_a_stop_before_the_attempt_is_carried_out_after_the_start_once(desk: Desk) -> None:
    await desk.engine.save_draft((await written(desk)).id)
    await desk.engine.close()
    await desk.open()
    await ended(desk, CallState.SUCCEEDED)
    assert len(drafts(desk)) == 1


@pytest.mark.parametrize("takes", [True, False])
async def test_a_lost_answer_is_looked_up_without_asking_and_not_repeated(desk: Desk, takes: bool) -> None:
    box = Slow(takes=takes)
    desk.engine.parts.tools.mail.drafts["mail"] = box  # type: ignore[index]
    await desk.engine.save_draft((await written(desk)).id)

    async def settled() -> bool:
        await desk.clock.advance(1.0)
        [call] = await desk.calls("save_draft")
        return call.state is (CallState.SUCCEEDED if takes else CallState.FAILED)

    await desk.until(settled)
    assert box.tries == 1


class Held:
    """Drafts of an account whose server thinks until ``may_end`` is set, and then refuses."""

    account = "mail"

    def __init__(self) -> None:
        self.asked, self.may_end = asyncio.Event(), asyncio.Event()

    async def save(self, message_id: str, message: str, /) -> str:
        self.asked.set()
        await self.may_end.wait()
        raise NotDoneError("the disk is full")

    async def holds(self, message_id: str, /) -> bool | None:
        return None


async def test_undo_while_a_draft_is_being_saved_waits_for_its_end(desk: Desk) -> None:
    box = Held()
    desk.engine.parts.tools.mail.drafts["mail"] = box  # type: ignore[index]
    await desk.engine.save_draft((await written(desk)).id)
    await box.asked.wait()
    undone = asyncio.create_task(desk.engine.undo())
    for _ in range(20):
        await desk.calls("save_draft")  # time in which the undo comes to its wait
    box.may_end.set()
    assert "no draft was saved" in await undone
    assert (await desk.card()).resolved.summary.endswith("Rent")


async def test_an_account_without_drafts_says_so_and_the_card_stays(desk: Desk) -> None:
    desk.engine.parts.tools.mail.drafts.clear()  # type: ignore[attr-defined]
    card = await written(desk)
    with pytest.raises(EngineError, match="keeps no drafts"):
        await desk.engine.save_draft(card.id)
    assert (await desk.card()).id == card.id


async def test_no_model_is_offered_it_and_what_one_asks_for_is_refused(desk: Desk) -> None:
    registry = desk.engine.parts.calling.registry
    assert "save_draft" not in registry.names()
    await desk.says("save it", calls(("save_draft", {"message_id": "<m1@example.com>"})))
    result = await desk.result("save_draft")
    assert "only the user's own key" in result.content
    assert drafts(desk) == []
