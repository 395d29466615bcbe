"""The bytes of a mail in a Maildir, wherever its file was moved to meanwhile within the Maildir."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from pepper_tui.boundary.plain_file import open_plain
from pepper_tui.clock import Looks, NoAnswerError
from pepper_tui.connectors.local_mail import Holder
from pepper_tui.connectors.maildir.feed import list_maildir
from pepper_tui.domains.mail.content.mime import MAX_BYTES
from pepper_tui.model import Json
from pepper_tui.tools.errors import ToolError


async def original(looks: Looks, holder: Holder, mail: Json) -> bytes | None:
    """Return the bytes of ``mail``; see ``Original``. Mails without an account are those of ``[mail]``."""
    path, files = Path(str(mail.get("path", ""))), [(Path(root), name) for root, name in mail.get("files", [])]
    if mail.get("account") not in (None, "", holder.account) or path.parent.name not in ("new", "cur") or not files:
        return None
    try:
        return await looks.look(str(files[0][0]), _read, path, files)
    except NoAnswerError as error:
        raise ToolError(str(error)) from error


def _read(path: Path, files: Sequence[tuple[Path, str]]) -> bytes | None:
    for place in chain([path], _moved(files)):
        try:
            with open_plain(place) as file:
                return file.read(MAX_BYTES)
        except OSError:
            continue
    return None


def _moved(files: Sequence[tuple[Path, str]]) -> Iterator[Path]:
    for root, name in files:
        try:
            yield from (each.path for each in list_maildir(root) if each.name == name)
        except OSError:
            continue
