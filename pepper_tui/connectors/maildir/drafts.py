"""Putting a mail into a Maildir's folder of drafts, under a name that is made of its Message-ID: so never twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from pepper_tui.boundary.new_file import new_file
from pepper_tui.clock import Clock, Looks, NoAnswerError
from pepper_tui.connectors.local_mail import Holder
from pepper_tui.connectors.maildir.changing import folder_for, folders
from pepper_tui.connectors.maildir.settings import Maildirs
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError

T = TypeVar("T")
_FLAGS: Final = ":2,DS"


class MaildirDrafts:
    """The ``DraftBox`` of an account's Maildirs, or those of ``[mail]``: the first folder of drafts in any of them."""

    def __init__(self, settings: Maildirs, clock: Clock, holder: Holder) -> None:
        self.account = holder.name
        self._settings, self._holder, self._looks = settings, holder, Looks(clock)

    async def save(self, message_id: str, message: str) -> str:
        """Write the mail; see ``DraftBox``."""
        root, label, folder = await self._folder()
        try:
            await self._looks.look(root, _write, folder, message_id, message)
        except NoAnswerError as error:
            raise OutcomeUnknownError(f"{error}, after it was given the draft") from error
        except OSError as error:
            raise NotDoneError(f"{folder}: {error.strerror or type(error).__name__}") from error
        return f"{one_line(label, 60)} in {root}"

    async def holds(self, message_id: str) -> bool | None:
        try:
            root, _, folder = await self._folder()
            return await self._asked(root, _is_there, folder, message_id)
        except NotDoneError:
            return None

    async def _folder(self) -> tuple[Path, str, Path]:
        """Return the Maildir, the folder's name, and the folder. Raises ``NotDoneError``."""
        wanted = self._settings.drafts
        for root in self._settings.paths:
            labels = await self._asked(root, folders, root)
            if (label := folder_for("drafts", labels, wanted)) in labels:
                return root, label, labels[label]
        which = f"called {wanted!r}" if wanted else "for drafts"
        raise NotDoneError(
            f"there is no Maildir folder {which}; name one as drafts in {self._holder.table}, or make it"
        )

    async def _asked(self, root: Path, function: Callable[..., T], *args: object) -> T:
        try:
            return await self._looks.look(root, function, *args)
        except (NoAnswerError, OSError) as error:
            raise NotDoneError(f"{root}: {getattr(error, 'strerror', None) or error}") from error


def _name(message_id: str) -> str:
    return f"{hashlib.sha256(message_id.encode()).hexdigest()[:24]}.pepper"


def _is_there(folder: Path, message_id: str) -> bool:
    name = _name(message_id)
    return any(path.name.partition(":")[0] == name for part in ("cur", "new") for path in (folder / part).iterdir())


def _write(folder: Path, message_id: str, message: str) -> None:
    if not _is_there(folder, message_id):
        with new_file(folder / "cur" / f"{_name(message_id)}{_FLAGS}") as file:
            file.write(message)
