"""Putting a mail among the drafts of an account: appended once to the folder that the server marks for them.

The folder is searched for the Message-ID before, so that a try whose answer was lost puts no second one there.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from pepper_tui.clock import Clock, in_thread
from pepper_tui.config import ConfigError
from pepper_tui.connectors.bearer import Credential
from pepper_tui.connectors.imap.connection.link import Link, linked
from pepper_tui.connectors.imap.connection.trouble import PoorError, ServerError, trouble
from pepper_tui.connectors.imap.marks import folder_for
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError


@dataclass(frozen=True, slots=True)
class ImapDrafts:
    """The ``DraftBox`` of an account. ``password`` returns the secret's current value; it blocks."""

    account: str
    settings: Imap
    password: Callable[[], Credential]
    clock: Clock

    async def save(self, message_id: str, message: str) -> str:
        """Append the mail; see ``DraftBox``."""
        async with self._opened() as (link, folder):
            if not await link.do(link.session.holds, message_id):
                try:
                    await link.do(_append, link, folder, message.encode())
                except PoorError:
                    raise  # the server said no
                except ServerError as error:
                    raise OutcomeUnknownError(f"{error}, after it was given the draft") from error
        return f"{one_line(folder, 60)} of account {self.account}"

    async def holds(self, message_id: str) -> bool | None:
        try:
            async with self._opened() as (link, _):
                return await link.do(link.session.holds, message_id)
        except NotDoneError:
            return None

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[Link, str]]:
        """Open the folder of drafts, on a link of its own. A failure inside means that nothing was put there."""
        try:
            password = await in_thread(self.password)
            async with linked(self.settings, self.account, password, self.clock) as link:
                folder = await self._folder(link)
                await link.do(link.session.open, folder)
                yield link, folder
        except (ServerError, ConfigError) as error:
            raise NotDoneError(str(trouble(error, self.settings, self.account))) from error

    async def _folder(self, link: Link) -> str:
        """Return the folder: as set, else as the server marks it, else by its name."""
        listed = await link.do(link.session.folders)
        wanted, host = self.settings.drafts, self.settings.host
        if wanted:
            if wanted not in [name for name, _ in listed]:
                words = f"the mail server {host} has no folder {one_line(wanted, 80)!r}"
                raise NotDoneError(f"{words}; fix drafts in account {self.account}")
            return wanted
        folder = folder_for("drafts", listed, {})
        if not folder:
            raise NotDoneError(
                f"the mail server {host} has no folder for drafts; name one in drafts of account {self.account}"
            )
        return folder


def _append(link: Link, folder: str, message: bytes) -> None:
    link.session.append(folder, message, draft=True)
