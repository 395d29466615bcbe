"""One ``[[account]]`` of the kind ``maildir``: its Maildirs, their folders, its addresses, and how it sends."""

from __future__ import annotations

from pepper_tui.config import Mail
from pepper_tui.connectors.local_mail import MAILDIRS, Holder, LocalMail
from pepper_tui.domains.mail.at_source.state import Use


class Maildirs(LocalMail):
    """``paths`` are Maildirs, each with the folders in it."""

    archive: str = ""  # the folder for archived mail; empty: the one that is called so
    trash: str = ""
    junk: str = ""
    drafts: str = ""

    @property
    def uses(self) -> dict[str, Use]:
        """What the folders are for that are named here."""
        named: dict[str, Use] = {self.archive: "archive", self.trash: "trash", self.junk: "junk", self.drafts: "drafts"}
        return {folder: use for folder, use in named.items() if folder}


def maildirs_of(said: Mail | Maildirs, ident: str = "") -> tuple[Maildirs, Holder]:
    """Return the Maildirs of an account, or those of ``[mail]``, which sends by itself."""
    if isinstance(said, Maildirs):
        return said, Holder.of_account(ident)
    settings = Maildirs(
        paths=said.maildir,
        archive=said.archive,
        trash=said.trash,
        junk=said.junk,
        drafts=said.drafts,
        scan_interval=said.scan_interval,
        max_bytes=said.max_bytes,
    )
    return settings, MAILDIRS
