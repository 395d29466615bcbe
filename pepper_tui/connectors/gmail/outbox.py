"""Sending from an account at Google, so that whether it went can be known afterwards.

After the yes a draft is made there, and its id is committed before it is sent. A draft that was sent is there no more:
so where the answer to the send was lost, the draft's fate is looked up. One that is still there is removed, which also
settles a send that may still be on its way, and the mail is known not to have gone.
"""

from __future__ import annotations

import asyncio
import contextlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from email import message_from_string
from email.utils import getaddresses, parseaddr
from typing import Any, Final, Literal

from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.errors import GoneError, GoogleError, InDoubtError
from pepper_tui.connectors.gmail.labels import SENT
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.model import Record
from pepper_tui.store import Store
from pepper_tui.tools.errors import NotDoneError

DRAFTS: Final = "mail.draft"  # one context per mail sent from an account at Google, by its Message-ID

DraftState = Literal["made", "sending", "removing", "sent", "not_sent"]


@dataclass(slots=True)
class Draft(Record):
    """The draft of a mail that is sent.

    ``made``: it was not sent yet. ``sending``: it may have been. ``removing``: it was there after the send failed, and
    may have been removed. ``draft`` and ``thread`` are Google's ids, ``mail`` that of the draft's text.
    """

    id: str
    account: str
    draft: str
    mail: str
    thread: str
    state: DraftState = "made"


@dataclass(frozen=True, slots=True)
class Drafts:
    """The drafts in ``store``."""

    store: Store

    async def keep(self, draft: Draft) -> None:
        await self.store.put(draft, namespace=DRAFTS, context_id=draft.id)

    async def of(self, message_id: str) -> Draft | None:
        return Draft.one(await self.store.get(message_id, namespace=DRAFTS))


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
        try:
            await self.gmail.need("send")
            await self._writes_as(message)
            draft = await self._made(message_id, message)
        except GoogleError as error:
            raise _not_done(error) from error
        await self.drafts.keep(replace(draft, state="sending"))
        try:
            await self.gmail.call("drafts.send", urgent=True, body={"id": draft.draft})
        except InDoubtError as error:
            if not await self._went(draft):
                raise NotDoneError("Google did not answer, and the mail has not gone; try again") from error
        except GoogleError as error:
            await self._remove(draft)
            raise _not_done(error) from error
        on_handed_over()
        await self.drafts.keep(replace(draft, state="sent"))
        return f"sent by Google as {draft.draft}"

    async def fate(self, message_id: str) -> bool | None:
        """Return whether a mail has gone; see ``TracedOutbox``. None is sent before its draft's id is kept."""
        draft = await self.drafts.of(message_id)
        if draft is None:
            await self._remove_lost(message_id)
            return False
        if draft.state in ("sent", "not_sent"):
            return draft.state == "sent"
        if draft.state == "made":
            await self._remove(draft)
            return False
        try:
            went = await self._went(draft)
            # since the restart the user may have removed a draft that had not gone: then its thread holds nothing sent
            return went and (await self._in_thread(draft) or None)
        except OutcomeUnknownError:
            return None

    async def _made(self, message_id: str, message: str) -> Draft:
        """Make the draft, and commit its id. Nothing has gone while this fails."""
        body = {"message": {"raw": urlsafe_b64encode(message.encode()).decode()}}
        try:
            made = await self.gmail.call("drafts.create", urgent=True, body=body)
        except InDoubtError:
            if (made := await self._found(message_id)) is None:
                raise
        text = made.get("message", {})
        draft = Draft(
            message_id, self.gmail.ident, str(made["id"]), str(text.get("id", "")), str(text.get("threadId", ""))
        )
        await self.drafts.keep(draft)
        return draft

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

    async def _found(self, message_id: str) -> Any:
        """Return the draft that was made though the answer was lost, if it can be found."""
        listed = await self.gmail.call("drafts.list", urgent=True, q=f"rfc822msgid:{message_id}", maxResults=1)
        return next(iter(listed.get("drafts", [])), None)

    async def _remove_lost(self, message_id: str) -> None:
        """Remove a draft whose id was lost in a kill, if it can be found."""
        with contextlib.suppress(GoogleError, TimeoutError):
            async with asyncio.timeout(30):
                if (made := await self._found(message_id)) is not None:
                    await self.gmail.call("drafts.delete", urgent=True, id=str(made["id"]))

    async def _went(self, draft: Draft) -> bool:
        """Return whether a draft was sent. Raises ``OutcomeUnknownError`` if that can't be known now."""
        try:
            await self.gmail.call("drafts.get", urgent=True, id=draft.draft, format="minimal")
        except GoneError:
            if draft.state == "removing":  # by whom it was taken away is not known
                return await self._in_thread(draft)
            return True
        except GoogleError as error:
            raise OutcomeUnknownError(
                "Google did not answer, and could not be asked what became of the mail"
            ) from error
        draft = replace(draft, state="removing")
        await self.drafts.keep(draft)
        try:
            await self.gmail.call("drafts.delete", urgent=True, id=draft.draft)
        except GoneError:  # it went in this moment
            await self.drafts.keep(replace(draft, state="sent"))
            return True
        except GoogleError as error:
            raise OutcomeUnknownError("Google did not answer, and what became of the mail is not known") from error
        await self.drafts.keep(replace(draft, state="not_sent"))
        return False

    async def _in_thread(self, draft: Draft) -> bool:
        """Return whether the draft's thread holds a sent mail that is younger than the draft."""
        try:
            thread = await self.gmail.call("threads.get", urgent=True, id=draft.thread, format="minimal")
        except GoneError:
            return False
        except GoogleError as error:
            raise OutcomeUnknownError("Google could not be asked what became of the mail") from error
        mails = thread.get("messages", [])
        return any(SENT in each.get("labelIds", []) and _age(each.get("id")) > _age(draft.mail) for each in mails)

    async def _remove(self, draft: Draft) -> None:
        """Remove a draft that was not sent, if Google lets us: what stays does no harm."""
        with contextlib.suppress(GoogleError, TimeoutError):
            async with asyncio.timeout(30):
                await self.gmail.call("drafts.delete", urgent=True, id=draft.draft)
        await self.drafts.keep(replace(draft, state="not_sent"))


def _goes_to(message: str, recipients: Sequence[str]) -> str:
    """Return the Message-ID, if the mail's own lines name exactly ``recipients``: by these Google sends it."""
    parsed = message_from_string(message)
    lines = [str(value) for name in ("To", "Cc", "Bcc") for value in parsed.get_all(name, [])]
    named = {address.casefold() for _, address in getaddresses(lines) if address}
    if named != {each.casefold() for each in recipients}:
        raise NotDoneError("the mail's own lines do not name those to whom it would go")
    return str(parsed["Message-ID"] or "")


def _not_done(error: GoogleError) -> NotDoneError:
    return NotDoneError("; ".join(filter(None, [error.words, error.remedy])))


def _age(ident: object) -> int:
    try:
        return int(str(ident), 16)
    except ValueError:
        return -1
