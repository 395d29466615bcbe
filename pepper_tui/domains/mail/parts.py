"""What the tools of mail are built with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pepper_tui.clock import Looks
from pepper_tui.domains.files.folders import Folders
from pepper_tui.domains.mail.at_source.filing import Filer
from pepper_tui.domains.mail.draft_box import DraftBox
from pepper_tui.domains.mail.intake.raw_mail import NAME
from pepper_tui.domains.mail.search.everywhere import Everywhere, TakenIn
from pepper_tui.domains.mail.writing.accounts import MailAccounts
from pepper_tui.domains.mail.writing.originals import Original
from pepper_tui.domains.mail.writing.quoting import Where
from pepper_tui.model import Json, Notification


class Mailbox(TakenIn, Protocol):
    """Read access to mail. A mail is the data of its ``raw.mail`` context (id, message_id, sender, to, subject, …).

    A search's ``found`` says how a mail was found.
    """

    async def thread(self, of: str, /) -> list[Json]: ...


@dataclass(slots=True)
class MailParts:
    """``attach_from`` are the folders whose files may be attached; ``looks`` waits for no hanging one.

    ``filers``: the accounts whose mails can be filed, by id. ``note_filed`` notes what became of filed mails.
    ``originals``: where mails lie, to carry their attachments over. ``quote``: where the mail that is answered is
    quoted, in the language of ``locale``. ``post`` sends a form to a web address; see ``WebFetcher``.
    ``everywhere`` also searches the servers of accounts; ``own``: the user's addresses.
    ``sources`` are the names of the feeds that bring mail. ``drafts``: the accounts that keep drafts, by id;
    ``unnamed`` is the id of the one whose mails are sent by ``[mail]``.
    """

    looks: Looks
    mailbox: Mailbox | None = None
    accounts: MailAccounts = field(default_factory=MailAccounts)
    attach_from: Folders | None = None
    filers: Mapping[str, Filer] = field(default_factory=dict)
    note_filed: Callable[..., Awaitable[None]] | None = None
    announce: Callable[[Notification], Awaitable[Any]] | None = None
    originals: Sequence[Original] = ()
    quote: Where = "none"
    locale: str = "en"
    post: Callable[[str, str], Awaitable[str]] | None = None
    everywhere: Everywhere | None = None
    own: Collection[str] = ()
    sources: tuple[str, ...] = ()
    drafts: Mapping[str, DraftBox] = field(default_factory=dict)
    unnamed: str = NAME
