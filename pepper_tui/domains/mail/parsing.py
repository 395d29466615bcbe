"""Mails are parsed in the parser process: the library's own parser has no bound on its work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pepper_tui.domains.mail.mime import Mail, not_read
from pepper_tui.parsing import NotRead, ParserProcess

PROCESS: Final = ParserProcess("pepper_tui.domains.mail.mime")


def parse_mails(sources: Sequence[bytes], max_bytes: int) -> list[Mail]:
    """What each of ``sources`` says. Blocking. Never raises: of a mail that could not be read ``defects`` says why."""
    found = PROCESS.parse("mail_data", sources, max_bytes=max_bytes)
    mails = []
    for source, data in zip(sources, found, strict=True):
        if isinstance(data, NotRead):
            mails.append(not_read(source, max_bytes, data.why))
        elif "failed" in data:
            mails.append(not_read(source, max_bytes, data["failed"]))
        else:
            mails.append(Mail.of(data))
    return mails
