"""The bytes of one mail as Google has them, for whoever sends its attachments on."""

from __future__ import annotations

from dataclasses import dataclass

from pepper_tui.clock import in_thread
from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.intake.taking import ROOT, source_of
from pepper_tui.connectors.google_account.errors import GoneError, GoogleError
from pepper_tui.model import Json
from pepper_tui.tools.errors import ToolError


@dataclass(frozen=True, slots=True)
class GmailOriginals:
    """The mails of one account."""

    gmail: GmailAccount

    async def __call__(self, mail: Json) -> bytes | None:
        """Return the bytes of ``mail``, as in ``raw.mail``; ``None`` if it is not there, or not there any more."""
        root = f"{ROOT}{self.gmail.ident}"
        for ident in [str(name) for where, name in mail.get("files") or [] if where == root]:
            try:
                answer = await self.gmail.call("messages.get", urgent=True, id=ident, format="raw")
            except GoneError:
                continue
            except GoogleError as error:
                raise ToolError(f"the mail can't be had from Google now: {error.words}") from error
            return (await in_thread(source_of, ident, answer)).raw
        return None
