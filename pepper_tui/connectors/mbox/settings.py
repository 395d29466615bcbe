"""One ``[[account]]`` of the kind ``mbox``: its files, its addresses, and how it sends."""

from __future__ import annotations

from pepper_tui.config import Mail
from pepper_tui.connectors.local_mail import MBOX_FILES, Holder, LocalMail


class MboxFiles(LocalMail):
    """``paths`` are files that mail programs append to."""


def mbox_files_of(said: Mail | MboxFiles, ident: str = "") -> tuple[MboxFiles, Holder]:
    """Return the files of an account, or those of ``[mail]``, which sends by itself."""
    if isinstance(said, MboxFiles):
        return said, Holder.of_account(ident)
    return MboxFiles(paths=said.mbox, scan_interval=said.scan_interval, max_bytes=said.max_bytes), MBOX_FILES
