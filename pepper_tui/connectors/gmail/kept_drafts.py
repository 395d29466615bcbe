"""Drafts that stay at Google, for the user to go on with: made once, found again by their Message-ID."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass

from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.google_account.errors import GoogleError, InDoubtError
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.tools.errors import NotDoneError


@dataclass(frozen=True, slots=True)
class GmailDrafts:
    """The ``DraftBox`` of an account."""

    gmail: GmailAccount

    @property
    def account(self) -> str:
        return self.gmail.ident

    async def save(self, message_id: str, message: str) -> str:
        """Make the draft; see ``DraftBox``."""
        body = {"message": {"raw": urlsafe_b64encode(message.encode()).decode()}}
        try:
            await self.gmail.need("send")
            if not await self._there(message_id):
                await self.gmail.call("drafts.create", urgent=True, body=body)
        except InDoubtError as error:
            raise OutcomeUnknownError("Google was given the draft, and did not answer") from error
        except GoogleError as error:
            raise NotDoneError(error.told) from error
        return f"Drafts of {self.gmail.settings.address}"

    async def holds(self, message_id: str) -> bool | None:
        try:
            return await self._there(message_id)
        except GoogleError:
            return None

    async def _there(self, message_id: str) -> bool:
        listed = await self.gmail.call("drafts.list", urgent=True, q=f"rfc822msgid:{message_id}", maxResults=1)
        return bool(listed.get("drafts"))
