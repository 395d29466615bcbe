"""An IMAP server as a model: folders, mails, marks, numbers; and what another of the user's programs does there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from typing import Final

INBOX: Final = "INBOX"
SENT: Final = "Sent"
LISTS: Final = "Lists"
FOLDERS: Final[dict[str, bytes]] = {
    INBOX: b"",
    "Archive": rb"\Archive",
    "Trash": rb"\Trash",
    "Junk": rb"\Junk",
    SENT: rb"\Sent",
    LISTS: b"",
}
"""Each folder, and its special use."""
DELETED: Final = rb"\Deleted"


def message_id_of(source: bytes) -> str:
    return str(BytesHeaderParser().parsebytes(source)["Message-ID"])


@dataclass(slots=True)
class Lying:
    """A mail in its folder. ``changed``: the folder's count when its flags changed last."""

    uid: int
    source: bytes
    flags: set[bytes]
    at: float
    changed: int
    message_id: str


@dataclass(slots=True)
class Folder:
    name: str
    use: bytes
    validity: int
    next: int = 1
    count: int = 1
    mails: dict[int, Lying] = field(default_factory=dict)

    def add(self, source: bytes, flags: Iterable[bytes], at: float) -> Lying:
        self.count += 1
        mail = Lying(self.next, source, set(flags), at, self.count, message_id_of(source))
        self.mails[mail.uid] = mail
        self.next += 1
        return mail

    def mark(self, mail: Lying, flag: bytes, *, on: bool) -> None:
        if (flag in mail.flags) is not on:
            (mail.flags.add if on else mail.flags.discard)(flag)
            self.count += 1
            mail.changed = self.count

    def remove(self, uid: int) -> None:
        self.count += 1
        del self.mails[uid]


class ImapServer:
    """``abilities`` are its capabilities. ``changed`` is called with the name of a folder in which something changed,
    ``renumbered`` with that of one whose mails have new numbers."""

    def __init__(self, now: Callable[[], float], abilities: Collection[str]) -> None:
        self.now, self.abilities = now, frozenset(abilities)
        self._validity = 1_000
        self.folders = {name: Folder(name, use, self._next_validity()) for name, use in FOLDERS.items()}
        self.changed: Callable[[str], None] = lambda _: None
        self.renumbered: Callable[[str], None] = lambda _: None

    def _next_validity(self) -> int:
        self._validity += 1
        return self._validity

    def deliver(self, source: bytes) -> None:
        self.folders[INBOX].add(source, (), self.now())
        self.changed(INBOX)

    def lying(self, folder: str, message_id: str) -> list[Lying]:
        return [mail for mail in self.folders[folder].mails.values() if mail.message_id == message_id]

    def move(self, uid: int, folder: str, to: str) -> Lying:
        mail = self.folders[folder].mails[uid]
        moved = self.folders[to].add(mail.source, mail.flags, mail.at)
        self.folders[folder].remove(uid)
        return moved

    def elsewhere(self, message_id: str, deed: str) -> bool:
        """Let another program do this to a mail in the inbox; false where it is not there."""
        box, found = self.folders[INBOX], self.lying(INBOX, message_id)
        for mail in found:
            match deed:
                case "deleted":
                    box.remove(mail.uid)
                case "moved":
                    self.move(mail.uid, INBOX, LISTS)
                case "read":
                    box.mark(mail, rb"\Seen", on=True)
                case _:
                    box.mark(mail, rb"\Answered", on=True)
        self.changed(INBOX)
        return bool(found)

    def renumber(self, folder: str) -> None:
        """Count the mails of a folder anew."""
        old = self.folders[folder]
        new = Folder(old.name, old.use, self._next_validity())
        for mail in old.mails.values():
            new.add(mail.source, mail.flags, mail.at)
        self.folders[folder] = new
        self.renumbered(folder)
