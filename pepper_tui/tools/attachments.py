"""Files to attach: only from the folders that the config allows, read once, bound by their hash.

What a card shows is the real path: links are followed first, so that one in an allowed folder leads out of it in vain.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pepper_tui.model import Record
from pepper_tui.text import clean, one_line
from pepper_tui.tools.allowed import inside
from pepper_tui.tools.tool import ToolError

MAX_FILES: Final = 10
MAX_BYTES: Final = 5_000_000  # of all files of one mail


@dataclass(slots=True)
class Attachment(Record):
    """One file as it is sent. ``path`` is its real path, ``size`` in bytes."""

    name: str
    path: str
    type: str
    size: int
    sha256: str

    @property
    def words(self) -> str:
        """What the card says of it."""
        return f"{self.name}, {self.size} bytes, sha256 {self.sha256[:16]}…, from {self.path}"


def read_attachments(wanted: Sequence[str], folders: Sequence[Path]) -> list[tuple[Attachment, bytes]]:
    """The files called ``wanted`` (paths; relative ones are looked for in ``folders``) and their bytes. Blocking.

    Raises ``ToolError`` for one that is not there, no plain file, too large, or in no allowed folder.
    """
    if len(wanted) > MAX_FILES:
        raise ToolError(f"more than {MAX_FILES} attachments")
    if wanted and not folders:
        raise ToolError("no folder may be attached from; set mail.attach_from")
    found: list[tuple[Attachment, bytes]] = []
    left = MAX_BYTES
    for each in wanted:
        path = _real(each, folders)
        try:
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise ToolError(f"{_shown(each)} is no plain file")
                data = file.read(left + 1)
        except OSError as error:
            raise ToolError(f"{_shown(each)} can't be read: {error.strerror}") from error
        if len(data) > left:
            raise ToolError(f"the attachments are larger than {MAX_BYTES} bytes")
        left -= len(data)
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        name = one_line(path.name, 200) or "file"
        found.append((Attachment(name, str(path), kind, len(data), hashlib.sha256(data).hexdigest()), data))
    return found


def _real(wanted: str, folders: Sequence[Path]) -> Path:
    if "\x00" in wanted or not wanted.strip() or clean(wanted) != wanted:
        raise ToolError(f"{_shown(wanted)} is no path")
    for _, real in inside(Path(wanted).expanduser(), folders):
        return real
    raise ToolError(f"{_shown(wanted)} is not in a folder that may be attached from (mail.attach_from)")


def _shown(path: str) -> str:
    return repr(one_line(path, 120))
