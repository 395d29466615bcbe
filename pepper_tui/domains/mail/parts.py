"""What the tools of mail are built with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pepper_tui.clock import Looks
from pepper_tui.domains.files.folders import Folders
from pepper_tui.domains.mail.outbox import Outbox
from pepper_tui.model import Json


class Mailbox(Protocol):
    """Read access to mail. A mail is the data of its ``raw.mail`` context (id, message_id, sender, to, subject, …).

    A search's ``found`` says how a mail was found.
    """

    async def search(
        self, words: str, sender: str, since: float | None, limit: int, until: float | None, folder: str, /
    ) -> list[Json]: ...

    async def read(self, mail: str, /) -> Json | None: ...

    async def thread(self, of: str, /) -> list[Json]: ...


@dataclass(slots=True)
class MailParts:
    """``attach_from`` are the folders whose files may be attached; ``looks`` waits for no hanging one.

    ``sources`` are the names of the feeds that bring mail.
    """

    looks: Looks
    mailbox: Mailbox | None = None
    outbox: Outbox | None = None
    attach_from: Folders | None = None
    sources: tuple[str, ...] = ()
