"""Sending from an IMAP account: by its SMTP server, with a copy in its folder of sent mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pepper_tui.connectors.imap.sent import SentCopies
from pepper_tui.connectors.smtp_outbox import SmtpOutbox
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.tools.errors import NotDoneError


@dataclass(frozen=True, slots=True)
class ImapOutbox:
    """The ``Outbox`` of an account."""

    smtp: SmtpOutbox
    copies: SentCopies

    @property
    def address(self) -> str:
        return self.smtp.address

    @property
    def name(self) -> str:
        return self.smtp.name

    @property
    def account(self) -> str:
        return self.smtp.account

    async def send(
        self, recipients: Sequence[str], message: str, on_handed_over: Callable[[], None] = lambda: None
    ) -> str:
        """Send the mail; see ``Outbox``. The feed stores the copy separately: its failure never affects the send."""
        try:
            noted = await self.copies.note(message)
        except OSError as error:
            raise NotDoneError(f"the copy for your sent mail can't be written: {error.strerror}") from error
        try:
            said = await self.smtp.send(recipients, message, on_handed_over)
        except OutcomeUnknownError:
            raise  # the copy waits until the user has said what became of the mail
        except NotDoneError:
            await self.copies.settle(noted, sent=False)
            raise
        await self.copies.settle(noted, sent=True)
        return said
