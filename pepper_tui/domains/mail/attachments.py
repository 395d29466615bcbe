"""Files to attach: accessed like all of the user's files, and bound by their hash.

A card holds the real path and the hash, never the bytes: the file is read when the effect is resolved, to be measured,
and once more at the attempt, when it must be the same. So no byte of what was proposed enters the store.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pepper_tui.domains.files.folders import Folders
from pepper_tui.model import Record
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError

MAX_FILES: Final = 10
MAX_BYTES: Final = 5_000_000  # of all files of one mail
WHOLE_MAIL: Final = "message/rfc822"
"""A mail as a part of another: its bytes stay as they are, since such a part may not be encoded (RFC 2046, 5.2.1)."""
_ANY: Final = "application/octet-stream"


@dataclass(slots=True)
class Attachment(Record):
    """One file as it is sent. ``path`` is its real path, ``size`` in bytes.

    ``mail``: the id of the mail that it comes from, if it is no file; ``part``: which of that mail's attachments it is,
    -1 for the whole mail. ``path`` then says so in words.
    """

    name: str
    path: str
    type: str
    size: int
    sha256: str
    mail: str = ""
    part: int = -1

    @classmethod
    def from_mail(cls, name: str, path: str, kind: str, data: bytes, mail: str, part: int = -1) -> Attachment:
        """Return what is carried over from a mail."""
        return cls(name, path, kind, len(data), hashlib.sha256(data).hexdigest(), mail, part)

    @property
    def words(self) -> str:
        """What the card says about it."""
        return f"{self.name}, {self.size} bytes, sha256 {self.sha256[:16]}…, from {self.path}"


def read_attachments(wanted: Sequence[str], folders: Folders | None) -> list[tuple[Attachment, bytes]]:
    """Return the files ``wanted`` (paths; relative ones are looked up in ``folders``) and their bytes. Blocking.

    Raises ``ToolError`` for one that is missing, not a plain file, too large, or not allowed to be attached.
    """
    if len(wanted) > MAX_FILES:
        raise ToolError(f"more than {MAX_FILES} attachments")
    if wanted and folders is None:
        raise ToolError("no folder may be attached from; set mail.attach_from")
    found: list[tuple[Attachment, bytes]] = []
    left = MAX_BYTES
    for each in wanted:
        assert folders is not None
        path, data, _ = folders.content(each, left + 1)
        if len(data) > left:
            raise ToolError(f"the attachments are larger than {MAX_BYTES} bytes")
        left -= len(data)
        name = one_line(path.name, 200) or "file"
        found.append((Attachment(name, str(path), type_of(name), len(data), hashlib.sha256(data).hexdigest()), data))
    return found


def type_of(name: str) -> str:
    """Return the content type of a file by its name."""
    kind, packed = mimetypes.guess_type(name)
    if packed:
        return f"application/{packed}" if packed in ("gzip", "zstd") else _ANY
    # A file's bytes must stay unchanged, and a mail as a part may not be encoded: so it is a file.
    return _ANY if kind is None or kind.startswith(("message/", "multipart/")) else kind
