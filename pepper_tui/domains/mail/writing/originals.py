"""The bytes of a mail, where they lie: its attachments, and the whole of it, are read there when they are sent on.

The store holds a mail's text alone. So what is carried is read when the effect is resolved, to be measured, and once
more at the attempt, when it must be the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final, Protocol

from pepper_tui.clock import in_thread
from pepper_tui.domains.bounded import attachments_of
from pepper_tui.domains.documents.file_text import FileText
from pepper_tui.domains.documents.for_tools import read_text
from pepper_tui.domains.mail.attachments import MAX_BYTES, MAX_FILES, WHOLE_MAIL, Attachment, type_of
from pepper_tui.model import Json
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError

Carried = tuple[Json, int]
"""A mail, and which of its attachments is carried over; -1: the whole mail."""
GONE: Final = "the mail's own bytes can't be had from its mailbox any more"
_READ: Final = re.compile(r"only the first (\d+) bytes were read")
_ENDINGS: Final = {WHOLE_MAIL: ".eml", "text/html": ".html"}
"""What the mail says of a part tells whether it is a mail or HTML, which bytes alone do not."""
_LONGEST_LINE: Final = 998  # RFC 5322, 2.1.1


class Original(Protocol):
    """Where some of the mail lies."""

    async def __call__(self, mail: Json, /) -> bytes | None:
        """Return the bytes of ``mail``; ``None`` if it does not lie here, or no more.

        Raises ``ToolError`` if it can't be read now.
        """
        ...


async def carried_over(
    wanted: Sequence[Carried], places: Sequence[Original], room: int = MAX_BYTES
) -> list[tuple[Attachment, bytes]]:
    """Return what is carried over from mails. Raises ``ToolError`` if it can't be had, or is larger than ``room``."""
    if len(wanted) > MAX_FILES:
        raise ToolError(f"more than {MAX_FILES} attachments")
    found: list[tuple[Attachment, bytes]] = []
    sources: dict[str, bytes] = {}
    parts: dict[str, list[tuple[str, bytes]] | str] = {}
    for mail, part in wanted:
        ident = str(mail["id"])
        if ident not in sources:
            source = await _source(mail, places)
            if source is None:
                raise ToolError(
                    f"{GONE}, so its attachments can't be sent on; send its text alone with attachments = false, or "
                    "attach a file of yours"
                )
            sources[ident] = source
        if part >= 0 and ident not in parts:
            parts[ident] = await in_thread(attachments_of, sources[ident])
        one = _whole(mail, sources[ident]) if part < 0 else _part(mail, part, parts[ident])
        room -= len(one[1])
        if room < 0:
            raise ToolError(f"the attachments are larger than {MAX_BYTES} bytes")
        found.append(one)
    return found


async def one_file(mail: Json, part: int, places: Sequence[Original]) -> tuple[str, bytes]:
    """Return name and bytes of an attachment. Raises ``ToolError`` if it can't be had."""
    source = await _source(mail, places)
    if source is None:
        raise ToolError(f"{GONE}: nothing was read, saved or opened")
    file, data = _part(mail, part, await in_thread(attachments_of, source))
    return file.name, data


async def one_text(mail: Json, part: int, places: Sequence[Original], first: int = 1) -> tuple[str, FileText]:
    """Return name and text of an attachment, from its page ``first`` on. Raises ``ToolError``."""
    name, data = await one_file(mail, part, places)
    kind = str(mail["attachments"][part].get("type") or "") if part < len(mail.get("attachments") or ()) else ""
    return name, await read_text(data, name + _ENDINGS.get(kind, ""), first=first)


async def _source(mail: Json, places: Sequence[Original]) -> bytes | None:
    for place in places:
        source = await place(mail)
        if source is None:
            continue
        cut = next((each for each in map(_READ.search, mail.get("defects") or ()) if each), None)
        if hashlib.sha256(source[: int(cut[1])] if cut else source).hexdigest() == mail.get("digest"):
            return source
        raise ToolError("what lies in the mailbox is no longer the mail that was read")
    return None


def _whole(mail: Json, source: bytes) -> tuple[Attachment, bytes]:
    plain = source.isascii() and max(map(len, source.splitlines()), default=0) <= _LONGEST_LINE
    kind = WHOLE_MAIL if plain else "application/octet-stream"  # a part of that type may not be encoded
    name = (re.sub(r"[^\w .-]+", "_", _subject(mail)).strip(" ._") or "mail") + ".eml"
    return Attachment.from_mail(name, "your mailbox, unchanged", kind, source, str(mail["id"])), source


def _part(mail: Json, part: int, parts: list[tuple[str, bytes]] | str) -> tuple[Attachment, bytes]:
    if isinstance(parts, str):
        raise ToolError(f"the mail's attachments can't be read: {parts}")
    if part >= len(parts):
        raise ToolError("that mail has no such attachment")
    name, data = parts[part]
    name, where = one_line(name, 200).replace("/", "_") or "file", f"the mail “{_subject(mail)}”"
    return Attachment.from_mail(name, where, type_of(name), data, str(mail["id"]), part), data


def _subject(mail: Json) -> str:
    return one_line(str(mail.get("subject") or "a mail"), 60)
