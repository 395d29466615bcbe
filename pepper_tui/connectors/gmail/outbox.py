"""Sending from an account at Google, so that whether it went can be known afterwards.

After the yes a draft is made there, and its id is committed before it is sent. A draft that was sent is there no more:
so where the answer to the send was lost, the draft's fate is looked up (``drafts.py``). One that is still there is
removed, which also settles a send that may still be on its way, and the mail is known not to have gone.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from email import message_from_string
from email.utils import getaddresses, parseaddr

from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.drafts import OPEN, Draft, Drafts
from pepper_tui.connectors.google_account.errors import GoogleError, InDoubtError
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.tools.errors import NotDoneError


@dataclass(frozen=True, slots=True)
class GmailOutbox:
    """The ``Outbox`` of an account."""

    gmail: GmailAccount
    drafts: Drafts
    name: str = ""

    @property
    def address(self) -> str:
        return self.gmail.settings.address

    @property
    def account(self) -> str:
        return f"{self.address} via {self.gmail.settings.endpoint or 'Gmail'}"

    async def send(
        self, recipients: Sequence[str], message: str, on_handed_over: Callable[[], None] = lambda: None
    ) -> str:
        """Send a message: see ``Outbox``."""
        message_id = _goes_to(message, recipients)
        with self.drafts.sending(message_id):
            if await self._sent_before(message_id):
                return "Google had sent it already"
            draft = Draft(message_id, self.gmail.ident, at=self.gmail.clock.now(), lost=await self._lost(message_id))
            return await self._send(draft, message, on_handed_over)

    async def fate(self, message_id: str) -> bool | None:
        """Return whether a mail has gone; see ``TracedOutbox``."""
        return await self.drafts.fate(message_id)

    async def _send(self, draft: Draft, message: str, on_handed_over: Callable[[], None]) -> str:
        body = {"message": {"raw": urlsafe_b64encode(message.encode()).decode()}}
        try:
            await self.gmail.need("send")
            await self._writes_as(message)
            draft = await self.drafts.make(draft, body)
        except GoogleError as error:
            raise _not_done(error) from error
        draft = await self.drafts.keep(replace(draft, state="sending"))
        try:
            await self.gmail.call("drafts.send", urgent=True, body={"id": draft.draft})
        except InDoubtError as error:
            if not await self._went(draft):
                raise NotDoneError("Google did not answer, and the mail has not gone; try again") from error
        except GoogleError as error:
            await self.drafts.tried(await self.drafts.keep(replace(draft, state="made")))
            raise _not_done(error) from error
        on_handed_over()
        await self.drafts.keep(replace(draft, state="sent"))
        return f"sent by Google as {draft.draft}"

    async def _sent_before(self, message_id: str) -> bool:
        """Check whether an earlier attempt sent the mail. Its draft is removed if not, so that there is only one."""
        draft = await self.drafts.of(message_id)
        if draft is None or draft.state not in OPEN:
            return draft is not None and draft.state == "sent"
        try:
            return bool((await self.drafts.settled(draft)).went)
        except GoogleError as error:
            words = "a draft of an earlier attempt is still at Google, and can't be removed now"
            raise NotDoneError(f"{words}: {error.words}") from error

    async def _lost(self, message_id: str) -> float:
        """Return when an earlier attempt asked for a draft that may still be made; 0 if none did."""
        draft = await self.drafts.of(message_id)
        return 0.0 if draft is None else max(draft.lost, draft.at if draft.state == "making" else 0.0)

    async def _went(self, draft: Draft) -> bool:
        """Return whether a draft was sent. Raises ``OutcomeUnknownError`` if that can't be known now."""
        try:
            return (await self.drafts.settled(draft, just_sent=True)).went is True
        except GoogleError as error:
            raise OutcomeUnknownError("Google did not answer, and what became of the mail is not known") from error

    async def _writes_as(self, message: str) -> None:
        """Raise ``NotDoneError`` if Google would put another address in place of the From."""
        _, sender = parseaddr(str(message_from_string(message)["From"] or ""))
        if sender.casefold() == self.address.casefold():
            return
        answer = await self.gmail.call("settings.sendAs.list", urgent=True)
        known = {
            str(each.get("sendAsEmail", "")).casefold()
            for each in answer.get("sendAs", [])
            if each.get("isPrimary") or each.get("verificationStatus") == "accepted"
        }
        if sender.casefold() not in known:
            words = f"Google would not send as {sender}"
            raise NotDoneError(f"{words}; add it at Gmail under Settings, Accounts, Send mail as")


def _goes_to(message: str, recipients: Sequence[str]) -> str:
    """Return the Message-ID, if the mail's own lines name exactly ``recipients``: by these Google sends it."""
    parsed = message_from_string(message)
    lines = [str(value) for name in ("To", "Cc", "Bcc") for value in parsed.get_all(name, [])]
    named = {address.casefold() for _, address in getaddresses(lines) if address}
    if named != {each.casefold() for each in recipients}:
        raise NotDoneError("the mail's own lines do not name those to whom it would go")
    return str(parsed["Message-ID"] or "")


def _not_done(error: GoogleError) -> NotDoneError:
    return NotDoneError(error.told)
