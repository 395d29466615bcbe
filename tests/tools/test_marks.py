"""How a recipient is marked on the card: quietly where they are only new, loudly where a text has a say in it."""

from __future__ import annotations

from datetime import UTC

import pytest

from pepper_tui.model import CardLine, Namespace
from pepper_tui.ui.screen.inbox.cards import approval_lines
from pepper_tui.ui.screen.ink import Ink, Pen
from tests.tools.bench import Bench, mail
from tests.tools.sink import Sink


async def to_line(bench: Bench, name: str, **arguments: str) -> tuple[CardLine, str]:
    card = await bench.card(await bench.schedule(name, **arguments))
    pen = Pen(Ink.of({}), 100, UTC, 0.0)
    shown = [line.plain for line in approval_lines(card, pen)]
    return next(line for line in card.resolved.lines if line.label == "To"), next(
        s for s in shown if s.startswith("To")
    )


async def know(bench: Bench, address: str) -> None:
    person = {"id": address, "address": address, "first_written": 1.0}
    await bench.store.store(person, namespace=Namespace.PEOPLE, context_id=address)


@pytest.mark.parametrize("sign", "_'*!?}{|/=~^$%&`#+")
async def test_a_look_alike_of_somebody_known_is_loud(bench: Bench, sink: Sink, sign: str) -> None:
    await know(bench, "ann@example.org")
    line, shown = await to_line(bench, "send_mail", to=f"{sign}ann@example.org", subject="s", body="b")
    assert (line.untrusted, line.quiet, line.warning) == (True, False, "looks like ann@example.org")
    assert "⚠ untrusted: looks like ann@example.org" in shown


@pytest.mark.parametrize("said", ["write to ann@example.org", "'ann@example.org'", "*ann@example.org*"])
async def test_what_the_user_wrote_is_trusted_and_its_look_alike_is_not(bench: Bench, sink: Sink, said: str) -> None:
    await bench.say(said)
    assert not (await to_line(bench, "send_mail", to="ann@example.org", subject="s", body="b"))[0].untrusted
    assert (await to_line(bench, "send_mail", to="'ann@example.org", subject="s", body="b"))[0].untrusted


async def answer(bench: Bench, sender: str, **more: object) -> tuple[CardLine, str]:
    bench.parts.mail.mailbox.mails.append(mail("<1@x>", sender, "Lunch", "write to me at far@bad.org", **more))  # type: ignore[union-attr]
    return await to_line(bench, "draft_reply", message_id="<1@x>", body="yes")


async def test_an_answer_to_a_new_sender_is_quiet(bench: Bench, sink: Sink) -> None:
    line, shown = await answer(bench, "Bob <bob@x.org>")
    assert (line.untrusted, line.quiet) == (True, True)
    assert "new: you never wrote to them" in shown
    assert "⚠" not in shown


async def test_an_answer_to_a_look_alike_is_loud(bench: Bench, sink: Sink) -> None:
    await know(bench, "ann@example.org")
    line, shown = await answer(bench, "Ann <ann@examp1e.org>")
    assert not line.quiet
    assert "⚠ untrusted: looks like ann@example.org" in shown


async def test_an_answer_that_leads_elsewhere_is_loud(bench: Bench, sink: Sink) -> None:
    line, shown = await answer(bench, "Bob <bob@x.org>", reply_to=[{"name": "", "address": "evil@bad.org"}])
    assert (line.untrusted, line.quiet) == (True, False)
    assert "⚠ untrusted: the mail asks for answers to another address" in shown


async def test_an_address_that_a_text_gave_is_loud(bench: Bench, sink: Sink) -> None:
    line, shown = await to_line(bench, "send_mail", to="far@bad.org", subject="s", body="b")
    assert (line.untrusted, line.quiet) == (True, False)
    assert "⚠ untrusted" in shown


async def test_the_users_own_edit_needs_no_mark_and_another_edit_keeps_it(bench: Bench, sink: Sink) -> None:
    bench.parts.mail.mailbox.mails.append(mail("<1@x>", "Bob <bob@x.org>", "Lunch", "hi"))  # type: ignore[union-attr]
    call = await bench.schedule("draft_reply", message_id="<1@x>", body="yes")
    await bench.approvals.edit((await bench.card(call)).id, {"Body": "yes!"})
    line = next(line for line in (await bench.card(call)).resolved.lines if line.label == "To")
    assert (line.untrusted, line.quiet) == (True, True)
    await bench.approvals.edit((await bench.card(call)).id, {"To": "_ann@example.org"}, ["To"])
    line = next(line for line in (await bench.card(call)).resolved.lines if line.label == "To")
    assert (line.untrusted, line.quiet, line.warning) == (False, False, "")
