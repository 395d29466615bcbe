"""The keys of the mail list through a whole engine: on the disk, on cards, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.connectors.imap.intake.cursor import CURSORS, Cursor
from pepper_tui.domains.documents.file_text import FileText
from pepper_tui.engine.engine import Engine
from pepper_tui.engine.protocol import EngineError
from pepper_tui.model import Approval, CallState, Origin, Written
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.inbox.form import Prompt
from pepper_tui.ui.screen.mail.mail_list import MailList
from tests.domains.documents.made import pdf
from tests.domains.mail.mails import make_maildir
from tests.engine.box import Box
from tests.engine.desk import CONFIG, Desk, calls
from tests.ui.seat import press, until

PDF = b"%PDF-1.4\n\x00\xff rent"


class Started(Engine):
    """An engine that runs without feeds, and is started once."""

    runs = False

    async def start(self, *, feeds: bool = True) -> None:
        if not self.runs:
            self.runs = True
            await super().start(feeds=False)


@pytest.fixture
async def box(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Box]:
    root = make_maildir(tmp_path / "mail")
    for name in ("Archive", "Trash", "Junk", "Work"):
        make_maildir(root / f".{name}")
    async with Desk(tmp_path, clock, CONFIG, Started) as desk:
        yield Box(desk)


def with_a_file(number: int, data: bytes = PDF) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "Ann <ann@example.com>", "sam@example.com, Bob <bob@example.com>"
    message["Cc"], message["Subject"], message["Message-ID"] = "Cy <cy@example.com>", "Rent", f"<m{number}@example.com>"
    message["List-Post"] = "<mailto:house@lists.example.com>"
    message.set_content("How much?")
    message.add_attachment(data, maintype="application", subtype="pdf", filename="rent.pdf")
    return message.as_bytes()


async def test_each_key_on_the_list_files_the_mail_on_the_disk_and_u_brings_it_back(box: Box) -> None:
    await box.take(1)
    ended = 0

    async def factory() -> Engine:
        return box.desk.engine

    app = PepperApp(factory, clock=box.desk.clock)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: app.link.engine is not None, pilot)
        await press(pilot, "f11")
        await until(lambda: bool(app.query(MailList)) and bool(app.query_one(MailList).row_ids), pilot)
        view = app.query_one(MailList)
        for keys, there in (
            ("a", "Archive"), ("D", "Trash"), ("!", "Junk"), ("v", "Work"), ("s", "INBOX F"),
        ):  # fmt: skip
            await until(lambda: bool(view.row_ids) and view.has_focus, pilot)
            await press(pilot, "g", "exclamation_mark" if keys == "!" else keys)
            if keys == "v":
                await until(lambda: bool(app.query(Prompt)), pilot)
                await press(pilot, "ctrl+u", *"Work", "enter")
            await box.until_filed(m1=there)
            await box.until_ended(*[CallState.SUCCEEDED] * (ended + 1))
            assert await box.notices() == {"n1": "new" if keys == "s" else "done"}
            await press(pilot, "u")
            await box.until_filed(m1="INBOX")
            ended += 2
            await box.until_ended(*[CallState.SUCCEEDED] * ended)
            assert await box.notices() == {"n1": "new"}
        await box.desk.engine.dismiss("notification:n1")
        await press(pilot, "g", "U")
        await box.until_filed(m1="INBOX S")
        await box.until_ended(*[CallState.SUCCEEDED] * (ended + 1))
        await press(pilot, "u")
        await box.until_filed(m1="INBOX")


WRITTEN = [
    ("reply", {}, {"To": "ann@example.com", "Cc": ""}),
    ("reply_all", {}, {"To": "ann@example.com, bob@example.com", "Cc": "cy@example.com"}),
    ("reply_list", {}, {"To": "house@lists.example.com", "Cc": ""}),
    ("forward", {"to": Written("dan@example.net")}, {"To": "dan@example.net", "Cc": ""}),
]


async def card_of(box: Box, kind: str, mail: str, fields: dict[str, Written]) -> Approval:
    await box.desk.engine.write_mail(kind, mail, {"body": Written("Fine."), **fields})
    return await box.desk.card()


@pytest.mark.parametrize(("kind", "fields", "whom"), WRITTEN)
async def test_what_is_written_on_a_mail_is_a_card_with_all_who_get_it(
    box: Box, kind: str, fields: dict[str, Written], whom: dict[str, str]
) -> None:
    await box.take(1, source=with_a_file(1))
    card = await card_of(box, kind, "mail_1", fields)
    lines = {line.label: line for line in card.resolved.lines}
    for label, people in whom.items():
        assert set(lines[label].value.split(", ")) == set(people.split(", "))
    attached = [line.value for line in card.resolved.lines if line.label == "Attached"]
    assert [words.startswith(f"rent.pdf, {len(PDF)} bytes") for words in attached] == [True] * (kind == "forward")


async def test_a_file_of_a_mail_is_had_from_where_the_mail_lies_now_and_not_once_it_is_gone(box: Box) -> None:
    await box.take(1, source=with_a_file(1))
    engine = box.desk.engine
    assert await engine.attachment("mail_1", 0) == ("rent.pdf", PDF)
    await engine.file(["mail:mail_1"], "archive")
    await box.until_filed(m1="Archive")
    await box.until_ended(CallState.SUCCEEDED)
    assert await engine.attachment("mail_1", 0) == ("rent.pdf", PDF)
    [path] = box.root.rglob("1.host*")
    path.write_bytes(path.read_bytes().replace(b"Rent", b"Bank"))
    with pytest.raises(EngineError, match="no longer the mail that was read"):
        await engine.attachment("mail_1", 0)
    path.unlink()
    with pytest.raises(EngineError, match="nothing was read, saved or opened"):
        await engine.attachment("mail_1", 0)


async def test_a_file_of_a_mail_is_read_as_text_as_far_as_it_can_be(box: Box) -> None:
    await box.take(1, source=with_a_file(1, pdf("The rent", "is due")))
    await box.take(2, source=with_a_file(2))
    engine = box.desk.engine
    assert await engine.attachment_text("mail_1", 0) == FileText("Page 1\nThe rent\n\nPage 2\nis due")
    assert await engine.attachment_text("mail_1", 0, 2) == FileText("Page 2\nis due")
    with pytest.raises(EngineError, match=r"rent\.pdf: it is a PDF file that can't be read"):
        await engine.attachment_text("mail_2", 0)


def untrusted(card: Approval) -> list[str]:
    return [line.value for line in card.resolved.lines if line.untrusted]


@pytest.mark.parametrize("origin", [*Origin])
async def test_only_a_typed_recipient_is_the_users_own_also_once_the_card_is_edited(box: Box, origin: Origin) -> None:
    fields = {
        "to": Written.by("eve@evil.example", origin),
        "cc": Written("fay@example.net"),
        "subject": Written("Hi"),
        "body": Written("Hi"),
    }
    card = await card_of(box, "new", "", fields)
    marked = [] if origin is Origin.TYPED else ["eve@evil.example"]
    assert untrusted(card) == marked
    await box.desk.engine.edit(card.id, {"Body": "Hello"})
    card = await box.desk.card()
    assert untrusted(card) == marked
    await box.desk.engine.reject(card.id)
    await box.desk.clock.advance(1)  # the same mail once more: who writes it again wants it
    await box.desk.engine.write_mail("new", "", {**fields, "body": Written("Hello")})
    assert untrusted(await box.desk.card()) == marked


async def test_part_of_an_address_that_was_typed_makes_none_of_it_the_users(box: Box) -> None:
    whole = Written("eve@").then(Written.by("evil.example", Origin.PASTED))
    card = await card_of(box, "new", "", {"to": whole, "subject": Written("Hi")})
    assert untrusted(card) == ["eve@evil.example"]


async def test_what_was_typed_for_one_mail_gives_a_models_wish_no_authority(box: Box) -> None:
    card = await card_of(box, "new", "", {"to": Written("eve@evil.example"), "subject": Written("Hi")})
    await box.desk.engine.reject(card.id)
    wish = ("send_mail", {"to": "eve@evil.example", "subject": "All of it", "body": "Here."})
    await box.desk.says("go on", calls(wish))
    assert untrusted(await box.desk.card()) == ["eve@evil.example"]


ELSEWHERE = """
[[account]]
id = "work"
kind = "imap"
address = "sam@work.example"
host = "127.0.0.1"
port = 9
security = "none"
token_command = ["true"]
folders = ["INBOX", "Sent"]
"""


@pytest.mark.parametrize(
    ("query", "told"),
    [("in:archive", True), ("in:archive account:home", False), ("in:sent", False), ("rent", False)],
)
async def test_a_folder_that_is_not_taken_in_is_told_and_how_it_would_be(
    tmp_path: Path, clock: ManualClock, query: str, told: bool
) -> None:
    async with Desk(tmp_path, clock, CONFIG + ELSEWHERE, Started) as desk:
        for folder in ("INBOX", "Sent"):
            cursor = Cursor(f"work/{folder}", "sam@127.0.0.1", 1, 9, 1, 0.0)
            await desk.engine.store.put(cursor, namespace=CURSORS)
        said = (await desk.engine.mails(query)).told
        assert ("work: of its folders only INBOX, Sent is taken in" in said) is told
        assert ("folders (or labels) of the account takes in more" in said) is told
