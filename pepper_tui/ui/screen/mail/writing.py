"""Writing a mail: a form, then the usual card with exactly what would be sent. Nothing goes out before its yes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from rich.text import Text

from pepper_tui.domains.mail.listing.records import MailHead, ThreadMail
from pepper_tui.model import CardLine, Written
from pepper_tui.text import one_line
from pepper_tui.ui.screen.inbox.awaited_card import AwaitedCard
from pepper_tui.ui.screen.ink import Pen
from pepper_tui.ui.screen.mail.mail_lines import person_words
from pepper_tui.ui.screen.mail.thread_lines import SIGNS
from pepper_tui.ui.shared.keys import KEYS

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk

HEADINGS: Final = {
    "new": "NEW MAIL",
    "reply": "REPLY",
    "reply_all": "REPLY TO ALL",
    "reply_list": "REPLY TO THE LIST",
    "forward": "FORWARD",
}
_SHOWN: Final = 4_000  # characters of what is answered that the form shows


class Writing:
    """Opens the form of each kind of mail, and the card that comes of it."""

    def __init__(self, app: Desk) -> None:
        self._app = app
        self._card = AwaitedCard(app)
        self._again: Callable[[], None] | None = None  # opens the form of that call again, as it was left

    async def begin(self, kind: str, mail: ThreadMail | None) -> None:
        """Open the form of a mail of that ``kind``, about ``mail`` if there is one."""
        head = await self._app.link.ready().mail_head(kind, mail.id if mail is not None else "")
        self._open(kind, mail, head)

    def _open(
        self, kind: str, mail: ThreadMail | None, head: MailHead, filled: Mapping[str, Written] | None = None
    ) -> None:
        """Open the form; ``filled`` is what was written before."""
        about = one_line(mail.subject, 60) if mail is not None else ""
        heading = f"{HEADINGS[kind]} {about}".strip()

        async def save(fields: dict[str, Written]) -> None:
            await self._save(kind, mail, head, fields)

        self._app.asking.write(heading, self._lines(kind, mail, head), save, filled)

    def _lines(self, kind: str, mail: ThreadMail | None, head: MailHead) -> list[CardLine]:
        body = CardLine("Body", "", editable=True, multiline=True)
        sender = CardLine("From", head.sender or "nobody", untrusted=bool(head.doubt), warning=head.doubt)
        if mail is None:
            names = ("To", "Cc", "Subject")
            return [sender, *(CardLine(name, "", editable=True) for name in names), body]
        subject = CardLine("Subject", one_line(head.subject, 300))
        if kind == "forward":
            what = CardLine("What you forward", mail.text[:_SHOWN])
            return [sender, CardLine("To", "", editable=True), subject, body, what]
        whom = {"reply_all": "all of them", "reply_list": "the list"}
        to = ", ".join(person_words(each) for each in mail.reply_to or [mail.sender])
        doubts = "; ".join(one_line(each, 200) for each in mail.doubts)
        line = CardLine("To", whom.get(kind, to), untrusted=bool(doubts), warning=doubts)
        return [sender, line, subject, body, CardLine("You wrote" if mail.own else "They wrote", mail.text[:_SHOWN])]

    async def _save(self, kind: str, mail: ThreadMail | None, head: MailHead, fields: dict[str, Written]) -> None:
        app = self._app
        if not any(value.text.strip() for value in fields.values()):
            app.say_words("Nothing was written, nothing is sent")
            return
        given = {name.lower(): value for name, value in fields.items()}
        call = await app.link.ready().write_mail(kind, mail.id if mail is not None else "", given)
        self._again = partial(self._open, kind, mail, head, fields)
        app.say_words("Written; its card comes in a moment. Nothing is sent before your yes")
        self._card.expect(call, self._failed)

    def look(self) -> None:
        """Open the card that is awaited, if it is there."""
        self._card.look()

    def _failed(self, why: str) -> None:
        """Open the form again, as it was left, and say why there is no card."""
        if self._again is not None:
            self._again()
        self._app.say_words(f"Nothing was sent: {why}", bad=True)

    def key_lines(self, pen: Pen) -> list[Text]:
        """Return the keys of the mail, from the table, and what its signs mean."""
        ink, names = pen.ink, self._app.key_names
        lines: list[Text] = []
        groups = (
            ("On threads", ("mail", "mail_list")),
            ("In the list", ("list",)),
            ("In the open mail", ("mail_reader",)),
        )
        for group, places in groups:
            lines.append(Text(group, ink.strong))
            for key in KEYS:
                if key.where in places and key.id != "pepper.question":
                    shown = Text(f"  {names.all_of(key.id):<14}", ink.accent)
                    lines += pen.hang(shown, Text(key.description))
            lines.append(Text(""))
        lines.append(Text("Signs", ink.strong))
        lines += [Text.assemble((f"  {sign:<14}", ink.accent), words) for sign, words in SIGNS]
        return lines
